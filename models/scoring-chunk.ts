import { index, modelOptions, prop } from '@typegoose/typegoose';
import { Types } from 'mongoose';

/** One patient of a batch that could not be scored, and the reason. */
@modelOptions({ schemaOptions: { _id: false } })
export class PatientFailure {
  @prop({ type: Types.ObjectId, required: true })
  patient!: Types.ObjectId;

  @prop({ type: String, required: true })
  code!: string;

  @prop({ type: String, required: true })
  message!: string;
}

/**
 * A chunk: a slice of the patients of a batch. It is the unit of work that workers share, and is fixed when the batch
 * is
 * submitted.
 */
@modelOptions({ schemaOptions: { collection: 'scoring_chunks', versionKey: false } })
@index({ job: 1, number: 1 }, { unique: true })
@index({ job: 1, done: 1, size: 1, failed: 1 })
@index({ job: 1, number: 1, failed: 1 }, { partialFilterExpression: { failed: { $gt: 0 } } })
@index({ 'failures.patient': 1 }, { partialFilterExpression: { failed: { $gt: 0 } } })
export class ScoringChunk {
  _id!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  job!: Types.ObjectId;

  @prop({ type: Number, required: true })
  number!: number;

  /** Patient ids, 12 bytes each, one after the other: a million ids take 12 MB instead of 30. It never changes. */
  @prop({ type: Buffer, required: true })
  patients!: Buffer;

  @prop({ type: Number, required: true })
  size!: number;

  @prop({ type: Boolean, required: true })
  done!: boolean;

  /**
   * Number of patients without a prediction, once the chunk is done. It stays the same when a deleted patient leaves
   * `failures`.
   */
  @prop({ type: Number, required: true })
  failed!: number;

  /** The end of the lease of the worker that runs the chunk. The worker extends it before that time. */
  @prop({ type: Date })
  leasedUntil?: Date;

  /**
   * Number of runs that were begun. A chunk that keeps killing its worker is given up after a bounded number of runs.
   */
  @prop({ type: Number, required: true })
  attempts!: number;

  @prop({ type: () => [PatientFailure], required: true })
  failures!: PatientFailure[];
}
