import { index, modelOptions, prop, Severity } from '@typegoose/typegoose';
import { Types } from 'mongoose';
import { BlockExplanation, ModelOutput, StoredClass } from './model-output.js';

/** SHAP values: baseValue + sum(contributions) = outputValue, in `outputSpace`. */
@modelOptions({ schemaOptions: { _id: false } })
export class StoredExplanation extends BlockExplanation {
  @prop({ type: Number, required: true })
  outputValue!: number;

  @prop({ type: Number, required: true })
  additivityError!: number;

  /** One contribution per model feature, in the model's own order. `Prediction.inputs` has the same order. */
  @prop({ type: () => [Number], required: true })
  contributions!: number[];
}

/** The score of one patient by one model version. It is never changed after it was stored. */
@modelOptions({
  schemaOptions: { collection: 'predictions', versionKey: false, minimize: false },
  options: { allowMixed: Severity.ALLOW },
})
@index({ job: 1, patient: 1 }, { unique: true })
// Every list has an index for its filter and its order: see src/predictions/prediction-filter.ts.
@index({ organization: 1, _id: -1, probability: 1, riskBand: 1, modelId: 1, modelVersion: 1 })
@index({ organization: 1, patient: 1, _id: -1 })
@index(
  { 'logged.organization': 1, 'logged.number': 1 },
  { unique: true, partialFilterExpression: { 'logged.number': { $gt: 0 } } },
)
export class Prediction extends ModelOutput {
  _id!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  patient!: Types.ObjectId;

  /** The model's own output, before calibration. */
  @prop({ type: Number, required: true })
  rawOutput!: number;

  /** Absent when the model gives a quantity. */
  @prop({ type: Number })
  probability?: number;

  /** The quantity in `unit`. Absent when the model gives a probability. */
  @prop({ type: Number })
  quantity?: number;

  @prop({ type: String, required: true })
  riskBand!: string;

  /** Every class, in the model's own order. Absent when the model has none. `rawOutput` is that of the risk class. */
  @prop({ type: () => [StoredClass], default: undefined })
  classes?: StoredClass[];

  /** Every model input as given, by feature code, in the model's own order; null for a missing one. */
  @prop({ type: () => Object, required: true })
  inputs!: Record<string, number | null>;

  /** Absent when the job asked for no explanation. */
  @prop({ type: () => StoredExplanation })
  explanation?: StoredExplanation;
}
