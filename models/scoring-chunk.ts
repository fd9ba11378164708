import { index, modelOptions, prop } from '@typegoose/typegoose';
import { Types } from 'mongoose';

/** One patient of a batch that could not be scored, and why. */
@modelOptions({ schemaOptions: { _id: false } })
export class PatientFailure {
  @prop({ type: Types.ObjectId, required: true })
  patient!: Types.ObjectId;

  @prop({ type: String, required: true })
  code!: string;

  @prop({ type: String, required: true })
  message!: string;
}

/** A slice of the patients of a batch, the unit of work that workers share. Fixed when the batch is submitted. */
@modelOptions({ schemaOptions: { collection: 'scoring_chunks', versionKey: false } })
@index({ job: 1, number: 1 }, { unique: true })
@index({ job: 1, done: 1, size: 1, failed: 1 })
@index({ 'failures.patient': 1 }, { partialFilterExpression: { failed: { $gt: 0 } } })
export class ScoringChunk {
  _id!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  job!: Types.ObjectId;

  @prop({ type: Number, required: true })
  number!: number;

  /** 12 bytes a patient id, one after the other: a million ids are 12 MB instead of 30. Never changes. */
  @prop({ type: Buffer, required: true })
  patients!: Buffer;

  @prop({ type: Number, required: true })
  size!: number;

  @prop({ type: Boolean, required: true })
  done!: boolean;

  /** Patients of a chunk that is done without a prediction. Stays when a deleted patient leaves `failures`. */
  @prop({ type: Number, required: true })
  failed!: number;

  /** While a worker runs the chunk: until when it has promised to be heard of again. */
  @prop({ type: Date })
  leasedUntil?: Date;

  /** Runs begun; a chunk that keeps killing its worker is given up after a bounded number. */
  @prop({ type: Number, required: true })
  attempts!: number;

  @prop({ type: () => [PatientFailure], required: true })
  failures!: PatientFailure[];
}
