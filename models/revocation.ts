import { index, modelOptions, prop } from '@typegoose/typegoose';
import { Types } from 'mongoose';

/** What was revoked: everything of a user, one session, or one API key. */
export enum RevocationKind {
  USER = 'USER',
  SESSION = 'SESSION',
  API_KEY = 'API_KEY',
}

/** Credentials that are refused although their signature and their expiry are good. One document a subject. */
@modelOptions({ schemaOptions: { collection: 'revocations', versionKey: false } })
@index({ organization: 1, kind: 1, subject: 1 }, { unique: true })
@index({ recordedAt: 1 })
@index({ keepUntil: 1 })
export class Revocation {
  _id!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  organization!: Types.ObjectId;

  @prop({ type: String, enum: RevocationKind, required: true })
  kind!: RevocationKind;

  /** Username, or the hexadecimal id of the session or API key. */
  @prop({ type: String, required: true })
  subject!: string;

  /** What was issued up to then is refused. */
  @prop({ type: Date, required: true })
  notBefore!: Date;

  /** Of a user who is disabled: everything is refused, whenever it was issued. */
  @prop({ type: Boolean })
  blocked?: boolean;

  /** By MongoDB's clock, so that readers need not trust each other's. */
  @prop({ type: Date, required: true })
  recordedAt!: Date;

  /** By then everything issued before has ended by itself. */
  @prop({ type: Date, required: true })
  keepUntil!: Date;
}

/** Counts the revocations; one document. Whoever has seen the present value knows all of them. */
@modelOptions({ schemaOptions: { collection: 'revocation_epochs', versionKey: false } })
export class RevocationEpoch {
  @prop({ type: String, required: true })
  _id!: string;

  @prop({ type: Number, required: true })
  value!: number;
}
