import { index, modelOptions, prop } from '@typegoose/typegoose';
import { Types } from 'mongoose';

/** The thing that was revoked: everything of an organization or a user, one session, or one API key. */
export enum RevocationKind {
  ORGANIZATION = 'ORGANIZATION',
  USER = 'USER',
  SESSION = 'SESSION',
  API_KEY = 'API_KEY',
}

/** Credentials that are refused although their signature and expiry are valid. There is one document per subject. */
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

  /** Username, or the hexadecimal id of the organization, session or API key. */
  @prop({ type: String, required: true })
  subject!: string;

  /** Every credential that was issued up to this time is refused. */
  @prop({ type: Date, required: true })
  notBefore!: Date;

  /** True for a disabled user: all their credentials are refused, whatever the time of issue. */
  @prop({ type: Boolean })
  blocked?: boolean;

  /** Time by MongoDB's clock, so that a reader does not depend on the clock of another process. */
  @prop({ type: Date, required: true })
  recordedAt!: Date;

  /** The time at which every credential issued before `notBefore` has expired on its own. */
  @prop({ type: Date, required: true })
  keepUntil!: Date;
}

/** The number of revocations, in one document. A process that has seen the present value knows all revocations. */
@modelOptions({ schemaOptions: { collection: 'revocation_epochs', versionKey: false } })
export class RevocationEpoch {
  @prop({ type: String, required: true })
  _id!: string;

  @prop({ type: Number, required: true })
  value!: number;
}
