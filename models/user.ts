import { index, modelOptions, prop } from '@typegoose/typegoose';
import { Types } from 'mongoose';

/** The role alone decides which actions a user may do; see src/auth/permissions.ts. */
export enum Role {
  CLINICIAN = 'CLINICIAN',
  ANALYST = 'ANALYST',
  SERVICE = 'SERVICE',
  ADMIN = 'ADMIN',
}

/** A person or a machine that calls the API, in one organization. */
@modelOptions({ schemaOptions: { collection: 'users', versionKey: false } })
@index({ organization: 1, username: 1 }, { unique: true })
@index({ organization: 1, _id: -1 })
export class User {
  _id!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  organization!: Types.ObjectId;

  @prop({ type: String, required: true })
  username!: string;

  @prop({ type: String, enum: Role, required: true })
  role!: Role;

  /** argon2id hash in PHC format, with salt and parameters. Absent: this user cannot log in with a password. */
  @prop({ type: String })
  passwordHash?: string;

  @prop({ type: Date })
  passwordChangedAt?: Date;

  /** No credential of a disabled user is valid. */
  @prop({ type: Boolean })
  disabled?: boolean;

  @prop({ type: Date, required: true })
  createdAt!: Date;
}
