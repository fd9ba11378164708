import { index, modelOptions, prop } from '@typegoose/typegoose';
import { Types } from 'mongoose';

/** The credential of a machine, with the rights of the role SERVICE or fewer. */
@modelOptions({ schemaOptions: { collection: 'api_keys', versionKey: false } })
@index({ organization: 1, _id: -1 })
export class ApiKey {
  /** Part of the key that its holder sends. It is no secret. */
  _id!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  organization!: Types.ObjectId;

  /** Purpose of the key, in an administrator's words. */
  @prop({ type: String, required: true })
  name!: string;

  /** Actions of the permission table. */
  @prop({ type: () => [String], required: true })
  scopes!: string[];

  /** SHA-256 of the secret part, base64url. */
  @prop({ type: String, required: true })
  secretHash!: string;

  @prop({ type: Date, required: true })
  createdAt!: Date;

  /** Username of the administrator. */
  @prop({ type: String, required: true })
  createdBy!: string;

  /** Time of the last use, to the minute. */
  @prop({ type: Date })
  lastUsedAt?: Date;

  /** Absent: the key is valid until it is revoked. */
  @prop({ type: Date })
  expiresAt?: Date;

  @prop({ type: Date })
  revokedAt?: Date;
}
