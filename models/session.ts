import { index, modelOptions, prop } from '@typegoose/typegoose';
import { Types } from 'mongoose';

/** The reason why a session ended before its time. */
export enum SessionEnd {
  LOGOUT = 'LOGOUT',
  /** A refresh token of the session was used twice. */
  REUSE = 'REUSE',
  /** An administrator or a new password ended it. */
  REVOKED = 'REVOKED',
}

/**
 * A session begins with a login. It is the family of all refresh tokens that follow. Only hashes of tokens are stored.
 */
@modelOptions({ schemaOptions: { collection: 'sessions', versionKey: false } })
@index({ familyHash: 1 }, { unique: true })
// The lists of sessions: see src/identity/sessions/user-sessions.ts.
@index({ organization: 1, endedAt: 1, _id: -1 })
@index({ organization: 1, user: 1, endedAt: 1, _id: -1 })
@index({ expiresAt: 1 })
export class Session {
  /** Access tokens carry this id as the claim `sid`. */
  _id!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  organization!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  user!: Types.ObjectId;

  /** SHA-256 of the part that all refresh tokens of the session share. */
  @prop({ type: String, required: true })
  familyHash!: string;

  /** SHA-256 of the only refresh token that is valid now. */
  @prop({ type: String, required: true })
  tokenHash!: string;

  /** SHA-256 of the refresh token before it. It gives the same successor for a few seconds after its use. */
  @prop({ type: String })
  previousTokenHash?: string;

  @prop({ type: Date, required: true })
  createdAt!: Date;

  /** Address that the login came from. Absent in a session of an earlier release. */
  @prop({ type: String })
  address?: string;

  @prop({ type: Date, required: true })
  refreshedAt!: Date;

  /** Fixed at login: a refresh does not change it. */
  @prop({ type: Date, required: true })
  expiresAt!: Date;

  @prop({ type: Date })
  endedAt?: Date;

  @prop({ type: String, enum: SessionEnd })
  endedBy?: SessionEnd;
}
