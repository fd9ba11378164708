import { index, modelOptions, prop } from '@typegoose/typegoose';
import { Types } from 'mongoose';
import { BlockExplanation, ModelOutput } from './model-output.js';
import { PatientFailure } from './scoring-chunk.js';

/** The prediction of one patient within a block. */
@modelOptions({ schemaOptions: { _id: false } })
export class PredictionRow {
  /**
   * Place of the row when the block was stored; it is the last three bytes of the prediction's id. Other rows may be
   * removed later, together with their patients.
   */
  @prop({ type: Number, required: true })
  number!: number;

  @prop({ type: Types.ObjectId, required: true })
  patient!: Types.ObjectId;

  /** Absent when the model gives a quantity. */
  @prop({ type: Number })
  probability?: number;

  /** The quantity in the block's `unit`. Absent when the model gives a probability. */
  @prop({ type: Number })
  quantity?: number;

  @prop({ type: String, required: true })
  riskBand!: string;

  /**
   * Float64 values, little-endian, in this order:
   * 1. the raw output
   * 2. the inputs in the order of the block's `features`, NaN for a missing one
   * 3. if the block is explained: output value, additivity error, and the contributions in the same order
   * 4. if the block has classes: the raw output of each, and then the probability of each
   */
  @prop({ type: Buffer, required: true })
  values!: Buffer;
}

/**
 * A block: the outcome of one chunk of a batch, with its predictions and its failures, in one document. A document for
 * each prediction would cost MongoDB more than computing the prediction.
 * A block is stored once, by the first worker that has the outcome. Only the erasure of a patient removes a row later.
 *
 * The last three bytes of `_id` are zero. A row's prediction has the id of its block, with the row's number in those
 * bytes.
 */
@modelOptions({ schemaOptions: { collection: 'prediction_blocks', versionKey: false } })
@index({ job: 1, chunk: 1 }, { unique: true })
// The index alone answers counts. It also compares probability and model before a block is read.
@index({ organization: 1, _id: -1, size: 1, highestProbability: 1, modelId: 1, modelVersion: 1 })
@index({ organization: 1, job: 1, _id: -1, size: 1 })
// A patient belongs to one organization, so the index does not need it.
@index({ 'rows.patient': 1, _id: -1 })
@index({ unlisted: 1, _id: 1 }, { partialFilterExpression: { unlisted: true } })
@index({ 'failures.patient': 1 }, { partialFilterExpression: { failed: { $gt: 0 } } })
@index(
  { 'logged.organization': 1, 'logged.number': 1 },
  { unique: true, partialFilterExpression: { 'logged.number': { $gt: 0 } } },
)
export class PredictionBlock extends ModelOutput {
  _id!: Types.ObjectId;

  /** Number of the chunk in its batch. */
  @prop({ type: Number, required: true })
  chunk!: number;

  /** Codes of the model's features, in the model's own order. */
  @prop({ type: () => [String], required: true })
  features!: string[];

  /** Names of the model's classes, in its own order. Absent when it has none. */
  @prop({ type: () => [String], default: undefined })
  classes?: string[];

  /** Absent when the job asked for no explanation. */
  @prop({ type: () => BlockExplanation })
  explanation?: BlockExplanation;

  /** Number of rows that the block holds now. */
  @prop({ type: Number, required: true })
  size!: number;

  /** An upper bound of the rows' probabilities. 0 for a block without rows, or of quantities. */
  @prop({ type: Number, required: true })
  highestProbability!: number;

  /** The risk bands of the rows. No row has a band that is not listed here. */
  @prop({ type: () => [String], required: true })
  riskBands!: string[];

  /** True until the results of the rows are with their patients: see src/predictions/latest-results.ts. */
  @prop({ type: Boolean })
  unlisted?: true;

  @prop({ type: () => [PredictionRow], required: true })
  rows!: PredictionRow[];

  /** Number of patients that could not be scored. It stays the same when a deleted patient leaves `failures`. */
  @prop({ type: Number, required: true })
  failed!: number;

  @prop({ type: () => [PatientFailure], required: true })
  failures!: PatientFailure[];
}
