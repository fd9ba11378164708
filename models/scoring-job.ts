import { index, modelOptions, prop } from '@typegoose/typegoose';
import { Types } from 'mongoose';

/** SINGLE scores one patient, BATCH many. */
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

/** What a running job is at. */
export enum JobStage {
  WAITING = 'WAITING',
  ENCODING = 'ENCODING',
  SCORING = 'SCORING',
  EXPLAINING = 'EXPLAINING',
  SAVING = 'SAVING',
  DONE = 'DONE',
}

/** Why a job failed, as its submitter may see it: no patient data. */
@modelOptions({ schemaOptions: { _id: false } })
export class JobFailure {
  @prop({ type: String, required: true })
  code!: string;

  @prop({ type: String, required: true })
  message!: string;
}

/**
 * The part of a job that its subscribers see change. Kept once as the present state, and once more in `transitions`
 * for every change of `state`, so that a late subscriber can be told each of them.
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

  /** Patients done, those that failed included. */
  @prop({ type: Number, required: true })
  processed!: number;

  /** Patients done without a prediction. */
  @prop({ type: Number, required: true })
  failed!: number;

  /** Runs begun, over the whole life of the job. */
  @prop({ type: Number, required: true })
  attempts!: number;

  @prop({ type: Date })
  startedAt?: Date;

  @prop({ type: Date })
  finishedAt?: Date;

  @prop({ type: () => JobFailure })
  error?: JobFailure;

  /** Names the write that made this change, so that its author can tell it from another one's of the same number. */
  @prop({ type: String })
  writeId?: string;
}

/** Which worker runs the job. Only the holder of `token` may change the job's state. */
@modelOptions({ schemaOptions: { _id: false } })
export class JobLease {
  @prop({ type: String, required: true })
  token!: string;

  /** The dispatch under which the queue handed the job out. */
  @prop({ type: Number, required: true })
  dispatch!: number;

  @prop({ type: Date, required: true })
  expiresAt!: Date;
}

/** A request to score one patient or many. The truth about the job; Redis only carries its id. */
@modelOptions({ schemaOptions: { collection: 'scoring_jobs', versionKey: false } })
@index({ organization: 1, _id: -1 })
@index(
  { organization: 1, idempotencyKeyIndex: 1 },
  { unique: true, partialFilterExpression: { idempotencyKeyIndex: { $exists: true } } },
)
@index({ 'status.state': 1, dispatchedAt: 1 })
@index({ 'status.finishedAt': 1 }, { partialFilterExpression: { 'status.finishedAt': { $exists: true } } })
@index({ patient: 1 }, { partialFilterExpression: { patient: { $exists: true } } })
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

  /** SINGLE only. */
  @prop({ type: Types.ObjectId })
  patient?: Types.ObjectId;

  @prop({ type: String, required: true })
  modelId!: string;

  @prop({ type: String, required: true })
  modelVersion!: string;

  @prop({ type: String, required: true })
  modelSha256!: string;

  /** False: SHAP values are computed when somebody asks for them. */
  @prop({ type: Boolean, required: true })
  explain!: boolean;

  /** 0 (first) to 10 (last) among jobs of the same kind. */
  @prop({ type: Number, required: true })
  priority!: number;

  /** Blind index of the caller's idempotency key, which may say anything and is never shown again. */
  @prop({ type: String })
  idempotencyKeyIndex?: string;

  /** Blind index of what was asked for, to tell a repeated request from another one under the same key. */
  @prop({ type: String })
  requestHash?: string;

  /** Attempts begun since submission or the last retry by hand; bounded. */
  @prop({ type: Number, required: true })
  attemptsThisRun!: number;

  @prop({ type: Date })
  cancelRequestedAt?: Date;

  @prop({ type: () => JobLease })
  lease?: JobLease;

  /** Counts the times the job was put on the queue; part of the queue's own job id. */
  @prop({ type: Number, required: true })
  dispatch!: number;

  @prop({ type: Date, required: true })
  dispatchedAt!: Date;

  /** When a finished job was cut down to what its predictions still need. */
  @prop({ type: Date })
  compactedAt?: Date;
}
