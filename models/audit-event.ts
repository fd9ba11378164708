import { index, modelOptions, prop } from '@typegoose/typegoose';
import { Types } from 'mongoose';

/** The object of an event, in addition to its patients. */
@modelOptions({ schemaOptions: { _id: false } })
class StoredAuditSubject {
  @prop({ type: String, required: true })
  kind!: string;

  @prop({ type: String, required: true })
  id!: string;
}

/**
 * A record of an action: the user, the action, the patients, the time and the address. It is never changed. It is removed
 * only when an archive holds it (src/audit/archive-chains.ts).
 * Each event of an organization carries a keyed hash over itself and the event before it. A change and a removal are
 * found by that hash (src/audit/audit-chain.ts).
 */
@modelOptions({ schemaOptions: { collection: 'audit_events', versionKey: false } })
@index({ organization: 1, sequence: 1 }, { unique: true })
// Every list has an index for its filter and its order: see src/audit/audit-service.ts.
@index({ organization: 1, sequence: -1, occurredAt: 1 })
@index({ organization: 1, requestId: 1, sequence: -1 })
@index({ organization: 1, username: 1, sequence: -1 })
@index({ organization: 1, action: 1, sequence: -1 })
@index({ organization: 1, outcome: 1, sequence: -1 }, { partialFilterExpression: { outcome: { $gt: 'ALLOWED' } } })
@index({ organization: 1, patients: 1, sequence: -1 })
@index({ organization: 1, flagged: 1, sequence: -1 }, { partialFilterExpression: { flagged: true } })
export class AuditEvent {
  _id!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  organization!: Types.ObjectId;

  /** Place in the organization's chain; the first is 1. */
  @prop({ type: Number, required: true })
  sequence!: number;

  @prop({ type: Date, required: true })
  occurredAt!: Date;

  @prop({ type: String, required: true })
  username!: string;

  /** Absent when the caller has not proved to be that user, e.g. at a failed login. */
  @prop({ type: String })
  role?: string;

  @prop({ type: String, required: true })
  address!: string;

  @prop({ type: String, required: true })
  requestId!: string;

  @prop({ type: String, required: true })
  action!: string;

  @prop({ type: String, required: true, enum: ['ALLOWED', 'FAILED', 'DENIED'] })
  outcome!: 'ALLOWED' | 'FAILED' | 'DENIED';

  @prop({ type: () => [Types.ObjectId], required: true })
  patients!: Types.ObjectId[];

  @prop({ type: () => StoredAuditSubject })
  subject?: StoredAuditSubject;

  @prop({ type: Boolean, required: true })
  flagged!: boolean;

  /** Number of equal refusals of one request that this event stands for. Absent: one. */
  @prop({ type: Number })
  count?: number;

  /** Hash of the event before this one, hexadecimal; 64 zeros for the first event. */
  @prop({ type: String, required: true })
  previousHash!: string;

  /** Hexadecimal HMAC-SHA-256. */
  @prop({ type: String, required: true })
  hash!: string;
}

/** An event at which a chain ends, for now or for an archive. */
class ChainEnd {
  @prop({ type: Number, required: true })
  sequence!: number;

  @prop({ type: String, required: true })
  hash!: string;

  /** Hexadecimal HMAC-SHA-256 over organization, sequence and hash. */
  @prop({ type: String, required: true })
  seal!: string;
}

/** The last event of the part of a chain that is in archives. */
@modelOptions({ schemaOptions: { _id: false } })
class ArchivedEnd extends ChainEnd {}

/** The last known end of an organization's chain. It shows when events were cut off from the end. */
@modelOptions({ schemaOptions: { collection: 'audit_heads', versionKey: false } })
export class AuditHead extends ChainEnd {
  /** Id of the organization. */
  @prop({ type: Types.ObjectId })
  _id!: Types.ObjectId;

  /** Absent when no event was archived. The events up to this one are in archives, and no more in the database. */
  @prop({ type: () => ArchivedEnd })
  archived?: ArchivedEnd;
}
