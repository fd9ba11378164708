import { index, modelOptions, prop } from '@typegoose/typegoose';
import { Types } from 'mongoose';

/** What an event is about, beside patients. */
@modelOptions({ schemaOptions: { _id: false } })
class StoredAuditSubject {
  @prop({ type: String, required: true })
  kind!: string;

  @prop({ type: String, required: true })
  id!: string;
}

/**
 * Who did what, with whose data, when, from where. Never changed and never removed: each event of an organization
 * carries a keyed hash over itself and the event before it, so that either is found (src/audit/audit-chain.ts).
 */
@modelOptions({ schemaOptions: { collection: 'audit_events', versionKey: false } })
@index({ organization: 1, sequence: 1 }, { unique: true })
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

  /** Absent where nobody has proved to be that user, e.g. a failed login. */
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

  /** Hexadecimal; of the event before this one, or 64 zeros. */
  @prop({ type: String, required: true })
  previousHash!: string;

  /** Hexadecimal HMAC-SHA-256. */
  @prop({ type: String, required: true })
  hash!: string;
}

/** How far an organization's chain had got: what shows that its end was cut off. */
@modelOptions({ schemaOptions: { collection: 'audit_heads', versionKey: false } })
export class AuditHead {
  /** The organization. */
  @prop({ type: Types.ObjectId })
  _id!: Types.ObjectId;

  @prop({ type: Number, required: true })
  sequence!: number;

  @prop({ type: String, required: true })
  hash!: string;

  /** Hexadecimal HMAC-SHA-256 over organization, sequence and hash. */
  @prop({ type: String, required: true })
  seal!: string;
}
