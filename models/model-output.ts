import { modelOptions, prop } from '@typegoose/typegoose';
import { Types } from 'mongoose';

/** A number in the log of an organization: see src/storage/document-log.ts. */
@modelOptions({ schemaOptions: { _id: false } })
export class LogNumber {
  @prop({ type: Types.ObjectId, required: true })
  organization!: Types.ObjectId;

  /** 1 for the first one. */
  @prop({ type: Number, required: true })
  number!: number;
}

/**
 * The fields that a prediction and a block of predictions share: the organization, the job and the model that scored.
 */
export class ModelOutput {
  @prop({ type: Types.ObjectId, required: true })
  organization!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  job!: Types.ObjectId;

  @prop({ type: String, required: true })
  modelId!: string;

  @prop({ type: String, required: true })
  modelVersion!: string;

  @prop({ type: String, required: true })
  modelSha256!: string;

  @prop({ type: String, required: true, enum: ['PROBABILITY', 'LOG_ODDS', 'IDENTITY', 'LOG'] })
  outputSpace!: 'PROBABILITY' | 'LOG_ODDS' | 'IDENTITY' | 'LOG';

  /** UCUM code of the quantity. Absent when the model gives a probability. */
  @prop({ type: String })
  unit?: string;

  @prop({ type: Date, required: true })
  createdAt!: Date;

  /** The place in the log of the organization. Absent in what was stored before there was a log. */
  @prop({ type: () => LogNumber })
  logged?: LogNumber;
}

/** SHAP method and base value, for one prediction or for all rows of a block. */
@modelOptions({ schemaOptions: { _id: false } })
export class BlockExplanation {
  @prop({ type: String, required: true, enum: ['PATH_DEPENDENT', 'INTERVENTIONAL'] })
  method!: 'PATH_DEPENDENT' | 'INTERVENTIONAL';

  @prop({ type: Number, required: true })
  baseValue!: number;
}

/** The score of one class by a model with classes. */
@modelOptions({ schemaOptions: { _id: false } })
export class StoredClass {
  @prop({ type: String, required: true })
  name!: string;

  /** The model's own output for the class. */
  @prop({ type: Number, required: true })
  rawOutput!: number;

  @prop({ type: Number, required: true })
  probability!: number;
}
