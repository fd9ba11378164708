import { index, modelOptions, prop } from '@typegoose/typegoose';
import { Types } from 'mongoose';
import { ScoringJobKind, ScoringJobState } from './scoring-job.js';

/** PENDING waits for its next attempt. DELIVERED and FAILED have ended, and can be replayed. */
export enum WebhookDeliveryState {
  PENDING = 'PENDING',
  DELIVERED = 'DELIVERED',
  FAILED = 'FAILED',
}

/** The reason why an attempt failed. */
export enum WebhookFailure {
  /** The host has no address. */
  DNS = 'DNS',
  /** The host has an address that webhooks must not reach. */
  REFUSED_ADDRESS = 'REFUSED_ADDRESS',
  CONNECTION = 'CONNECTION',
  TLS = 'TLS',
  TIMEOUT = 'TIMEOUT',
  /** The answer was not 2xx. Redirects are not followed. */
  STATUS = 'STATUS',
  /** The endpoint was disabled before the delivery. */
  DISABLED = 'DISABLED',
}

/** One message to one endpoint, about one end of one job. Its attempts are counted here; Redis only carries its id. */
@modelOptions({ schemaOptions: { collection: 'webhook_deliveries', versionKey: false } })
// One delivery per end of a job, however often the outbox is read.
@index({ endpoint: 1, job: 1, sequence: 1 }, { unique: true })
// Every list has an index for its filter and its order: see src/webhooks/webhook-service.ts.
@index({ organization: 1, _id: -1 })
@index({ organization: 1, job: 1, _id: -1 })
@index({ organization: 1, state: 1, _id: -1 })
@index({ organization: 1, endpoint: 1, _id: -1 })
@index({ organization: 1, endpoint: 1, state: 1, _id: -1 })
@index({ state: 1, endpoint: 1, nextAttemptAt: 1 })
@index({ occurredAt: 1 })
export class WebhookDelivery {
  /** Is also the header `webhook-id`, the same for every attempt. */
  _id!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  organization!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  endpoint!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  job!: Types.ObjectId;

  @prop({ type: String, enum: ScoringJobKind, required: true })
  jobKind!: ScoringJobKind;

  @prop({ type: String, enum: ScoringJobState, required: true })
  jobState!: ScoringJobState;

  /** Number of the change that ended the job. A job that was retried ends again under a higher number. */
  @prop({ type: Number, required: true })
  sequence!: number;

  /** Time when the job ended. */
  @prop({ type: Date, required: true })
  occurredAt!: Date;

  @prop({ type: String, enum: WebhookDeliveryState, required: true })
  state!: WebhookDeliveryState;

  /** Attempts since the first, or since the last replay. */
  @prop({ type: Number, required: true })
  attempts!: number;

  @prop({ type: Date, required: true })
  nextAttemptAt!: Date;

  /** While an attempt is under way: the time from which another worker may try. */
  @prop({ type: Date })
  leaseUntil?: Date;

  @prop({ type: Date })
  lastAttemptAt?: Date;

  /** HTTP status of the last answer. */
  @prop({ type: Number })
  responseStatus?: number;

  @prop({ type: String, enum: WebhookFailure })
  failure?: WebhookFailure;
}
