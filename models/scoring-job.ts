import { index, modelOptions, prop } from '@typegoose/typegoose';
import { Types } from 'mongoose';

/** SINGLE scores one patient, BATCH scores many. */
export enum ScoringJobKind {
  SINGLE = 'SINGLE',
  BATCH = 'BATCH',
}

/** COMPLETED, FAILED and CANCELLED are terminal. */
export enum ScoringJobState {
  QUEUED = 'QUEUED',
  ACTIVE = 'ACTIVE',
  COMPLETED = 'COMPLETED',
  FAILED = 'FAILED',
  CANCELLED = 'CANCELLED',
}

/** The step that a running job is in. */
export enum JobStage {
  WAITING = 'WAITING',
  ENCODING = 'ENCODING',
  SCORING = 'SCORING',
  EXPLAINING = 'EXPLAINING',
  SAVING = 'SAVING',
  DONE = 'DONE',
}

/** The reason why a job failed, as its submitter may see it. It holds no patient data. */
@modelOptions({ schemaOptions: { _id: false } })
export class JobFailure {
  @prop({ type: String, required: true })
  code!: string;

  @prop({ type: String, required: true })
  message!: string;
}

/**
 * The part of a job that changes while it runs, and that subscribers see. The job holds it twice: as the present state,
 * and in `transitions` once for each change of `state`. A late subscriber gets each of those changes.
 */
@modelOptions({ schemaOptions: { _id: false } })
export class JobStatus {
  /** Number of this change; the first is 1. */
  @prop({ type: Number, required: true })
  sequence!: number;

  @prop({ type: String, enum: ScoringJobState, required: true })
  state!: ScoringJobState;

  @prop({ type: String, enum: JobStage, required: true })
  stage!: JobStage;

  /** Patients that are done, including those that failed. */
  @prop({ type: Number, required: true })
  processed!: number;

  /** Patients that are done without a prediction. */
  @prop({ type: Number, required: true })
  failed!: number;

  /** Number of runs that were begun, over the whole life of the job. */
  @prop({ type: Number, required: true })
  attempts!: number;

  /** Time of the latest change of state or attempt. Absent before the first, and in jobs of an earlier release. */
  @prop({ type: Date })
  since?: Date;

  @prop({ type: Date })
  startedAt?: Date;

  @prop({ type: Date })
  finishedAt?: Date;

  @prop({ type: () => JobFailure })
  error?: JobFailure;

  /** Id of the write that made this change. Its writer can tell the change from another one with the same number. */
  @prop({ type: String })
  writeId?: string;
}

/**
 * A lease: a worker's claim to run the job until `expiresAt`. Only the holder of `token` may change the job's state.
 */
@modelOptions({ schemaOptions: { _id: false } })
export class JobLease {
  @prop({ type: String, required: true })
  token!: string;

  /** The dispatch that the worker took from the queue. */
  @prop({ type: Number, required: true })
  dispatch!: number;

  @prop({ type: Date, required: true })
  expiresAt!: Date;
}

/**
 * A request to score one patient or many. This document decides about the job; Redis only carries its id. The life of a
 * job:
 * 1. The API stores it as QUEUED, and a dispatch puts it on the queue.
 * 2. A worker takes a dispatch from the queue and gets a lease. The job is ACTIVE.
 * 3. The worker stores predictions, and moves `status` through its stages.
 * 4. The job ends as COMPLETED, FAILED or CANCELLED. A retry makes it QUEUED again.
 * 5. A long time after its end, it is removed, or reduced to the fields that its predictions still need.
 */
@modelOptions({ schemaOptions: { collection: 'scoring_jobs', versionKey: false } })
// Every list has an index for its filter and its order: see src/jobs/visible-jobs.ts.
@index({ organization: 1, _id: -1 })
@index({ organization: 1, 'status.state': 1, _id: -1 })
@index({ organization: 1, submittedBy: 1, _id: -1 })
@index({ organization: 1, kind: 1, _id: -1 })
@index({ organization: 1, modelId: 1, _id: -1 })
@index(
  { organization: 1, idempotencyKeyIndex: 1 },
  { unique: true, partialFilterExpression: { idempotencyKeyIndex: { $exists: true } } },
)
@index({ 'status.state': 1, dispatchedAt: 1 })
@index({ 'status.finishedAt': 1 }, { partialFilterExpression: { 'status.finishedAt': { $exists: true } } })
@index({ webhookDue: 1 }, { partialFilterExpression: { webhookDue: { $exists: true } } })
@index({ patient: 1, _id: -1 }, { partialFilterExpression: { patient: { $exists: true } } })
export class ScoringJob {
  _id!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  organization!: Types.ObjectId;

  @prop({ type: String, enum: ScoringJobKind, required: true })
  kind!: ScoringJobKind;

  @prop({ type: () => JobStatus, required: true })
  status!: JobStatus;

  /** Every change of state so far, oldest first. */
  @prop({ type: () => [JobStatus], required: true })
  transitions!: JobStatus[];

  /** Patients to score; fixed at submission. */
  @prop({ type: Number, required: true })
  total!: number;

  @prop({ type: Date, required: true })
  submittedAt!: Date;

  /** Username of the submitter. */
  @prop({ type: String, required: true })
  submittedBy!: string;

  /** Id of the request that submitted the job. The log of the workers and the audit trail name it too. */
  @prop({ type: String })
  requestId?: string;

  /** The span of that request as `traceparent`, where requests are traced. */
  @prop({ type: String })
  traceparent?: string;

  /** The patient of a SINGLE job. */
  @prop({ type: Types.ObjectId })
  patient?: Types.ObjectId;

  @prop({ type: String, required: true })
  modelId!: string;

  @prop({ type: String, required: true })
  modelVersion!: string;

  @prop({ type: String, required: true })
  modelSha256!: string;

  /** False: SHAP values are computed when a caller asks for them. */
  @prop({ type: Boolean, required: true })
  explain!: boolean;

  /** 0 (first) to 10 (last) among jobs of the same kind. */
  @prop({ type: Number, required: true })
  priority!: number;

  /** Blind index of the caller and its idempotency key. The key may contain anything, so it is never shown again. */
  @prop({ type: String })
  idempotencyKeyIndex?: string;

  /** Blind index of the request. It tells a repeated request from another one under the same key. */
  @prop({ type: String })
  requestHash?: string;

  /** Attempts that were begun since submission or the last retry by a caller. The number is bounded. */
  @prop({ type: Number, required: true })
  attemptsThisRun!: number;

  @prop({ type: Date })
  cancelRequestedAt?: Date;

  @prop({ type: () => JobLease })
  lease?: JobLease;

  /**
   * A dispatch is one time that the job was put on the queue. This is their number; it is part of the queue's own job
   * id.
   */
  @prop({ type: Number, required: true })
  dispatch!: number;

  @prop({ type: Date, required: true })
  dispatchedAt!: Date;

  /**
   * Outbox of the webhooks. It is set by the write that ends the job, and removed when the deliveries are stored. So no
   * crash between the two loses one.
   */
  @prop({ type: Date })
  webhookDue?: Date;

  /** Time when a finished job was reduced to the fields that its predictions still need. */
  @prop({ type: Date })
  compactedAt?: Date;
}
