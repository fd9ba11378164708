import { index, modelOptions, prop } from '@typegoose/typegoose';
import { Types } from 'mongoose';
import { ScoringJobState } from './scoring-job.js';
import type { Ciphertext } from './patient.js';

/** FAILING: every attempt failed for days. GONE: the receiver answered 410. */
export enum WebhookDisabledReason {
  FAILING = 'FAILING',
  GONE = 'GONE',
}

/** A receiver of webhooks: an address outside of RiskGraph that is told when a job ends. */
@modelOptions({ schemaOptions: { collection: 'webhook_endpoints', versionKey: false } })
@index({ organization: 1, _id: -1 })
// Bounds the endpoints of an organization exactly, also when many are created at the same time.
@index({ organization: 1, slot: 1 }, { unique: true })
@index({ organization: 1, dataKey: 1, _id: 1 })
@index({ catchUpAt: 1 }, { partialFilterExpression: { catchUpAt: { $exists: true } } })
export class WebhookEndpoint {
  _id!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  organization!: Types.ObjectId;

  /** Place among the endpoints of the organization; the first is 0. */
  @prop({ type: Number, required: true })
  slot!: number;

  /** Purpose of the endpoint, in the caller's words. */
  @prop({ type: String })
  description?: string;

  /** The address. Sealed, because many receivers put a secret into it. */
  @prop({ type: Buffer, required: true })
  url!: Ciphertext;

  /** The secret that signs, as `whsec_...`. Sealed. */
  @prop({ type: Buffer, required: true })
  secret!: Ciphertext;

  /** The secret before the last rotation. Sealed. It signs too, up to `previousSecretUntil`. */
  @prop({ type: Buffer })
  previousSecret?: Ciphertext;

  @prop({ type: Date })
  previousSecretUntil?: Date;

  /** The data key of the sealed fields. */
  @prop({ type: Types.ObjectId, required: true })
  dataKey!: Types.ObjectId;

  /** The terminal states that are told. */
  @prop({ type: () => [String], enum: ScoringJobState, required: true })
  states!: ScoringJobState[];

  @prop({ type: Date, required: true })
  createdAt!: Date;

  /** Username of the creator. */
  @prop({ type: String, required: true })
  createdBy!: string;

  /** Jobs that ended earlier are not told: the creation, or the time when it was enabled again. */
  @prop({ type: Date, required: true })
  activeSince!: Date;

  /** Time from which the outbox marks jobs that ended since `activeSince`, once. Absent afterwards. */
  @prop({ type: Date })
  catchUpAt?: Date;

  /** Time of the first failure after the last success. Absent while the receiver answers. */
  @prop({ type: Date })
  failingSince?: Date;

  /** Absent while the endpoint is enabled. */
  @prop({ type: Date })
  disabledAt?: Date;

  @prop({ type: String, enum: WebhookDisabledReason })
  disabledReason?: WebhookDisabledReason;
}
