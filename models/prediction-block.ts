import { index, modelOptions, prop } from '@typegoose/typegoose';
import { Types } from 'mongoose';
import { BlockExplanation, ModelOutput } from './model-output.js';
import { PatientFailure } from './scoring-chunk.js';

/** The prediction of one patient within a block. */
@modelOptions({ schemaOptions: { _id: false } })
export class PredictionRow {
  /** Place in the block when it was stored; rows around it may go, with their patients. The last three bytes of the prediction's id. */
  @prop({ type: Number, required: true })
  number!: number;

  @prop({ type: Types.ObjectId, required: true })
  patient!: Types.ObjectId;

  @prop({ type: Number, required: true })
  probability!: number;

  @prop({ type: String, required: true })
  riskBand!: string;

  /**
   * Float64, little-endian: the raw output; the inputs in the order of the block's `features`, NaN where missing; and, if
   * the block is explained, output value, additivity error and the contributions in the same order.
   */
  @prop({ type: Buffer, required: true })
  values!: Buffer;
}

/**
 * The outcome of one chunk of a batch: its predictions, and who has none. One document, because a document of its own for
 * each prediction costs MongoDB more than computing it. Stored once, by whoever is first; only the erasure of a patient
 * takes a row out again.
 *
 * The last three bytes of `_id` are zero. A row's prediction has the id of its block with the row's number in them.
 */
@modelOptions({ schemaOptions: { collection: 'prediction_blocks', versionKey: false } })
@index({ job: 1, chunk: 1 }, { unique: true })
// Counts are answered by the index alone; probability and model are compared before a block is read.
@index({ organization: 1, _id: -1, size: 1, highestProbability: 1, modelId: 1, modelVersion: 1 })
@index({ organization: 1, job: 1, _id: -1, size: 1 })
// A patient is of one organization.
@index({ 'rows.patient': 1, _id: -1 })
@index({ 'failures.patient': 1 }, { partialFilterExpression: { failed: { $gt: 0 } } })
export class PredictionBlock extends ModelOutput {
  _id!: Types.ObjectId;

  /** Number of the chunk in its batch. */
  @prop({ type: Number, required: true })
  chunk!: number;

  /** Codes of the model's features, in the model's own order. */
  @prop({ type: () => [String], required: true })
  features!: string[];

  /** Absent when the job asked for no explanation. */
  @prop({ type: () => BlockExplanation })
  explanation?: BlockExplanation;

  /** Rows that are there. */
  @prop({ type: Number, required: true })
  size!: number;

  /** No row is above it. 0 without rows. */
  @prop({ type: Number, required: true })
  highestProbability!: number;

  /** No row is in another one. */
  @prop({ type: () => [String], required: true })
  riskBands!: string[];

  @prop({ type: () => [PredictionRow], required: true })
  rows!: PredictionRow[];

  /** Patients of the chunk that could not be scored. Stays when a deleted patient leaves `failures`. */
  @prop({ type: Number, required: true })
  failed!: number;

  @prop({ type: () => [PatientFailure], required: true })
  failures!: PatientFailure[];
}
