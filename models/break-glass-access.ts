import { index, modelOptions, prop } from '@typegoose/typegoose';
import { mongo, Types } from 'mongoose';
import type { Ciphertext } from './patient.js';

/**
 * One break-glass access: a clinician saw a patient outside of their care team, and gave a reason. Reviewers read it.
 */
@modelOptions({ schemaOptions: { collection: 'break_glass_accesses', versionKey: false } })
@index({ organization: 1, _id: -1 })
@index({ organization: 1, patient: 1 })
@index({ organization: 1, username: 1, grantedAt: 1 })
@index({ organization: 1, dataKey: 1, _id: 1 })
export class StoredBreakGlassAccess {
  _id!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  organization!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  patient!: Types.ObjectId;

  @prop({ type: String, required: true })
  username!: string;

  /** The clinician's reason, in free text. */
  @prop({ type: mongo.Binary, required: true })
  reason!: Ciphertext;

  /** Id of the data key that encrypted the reason. */
  @prop({ type: Types.ObjectId, required: true })
  dataKey!: Types.ObjectId;

  @prop({ type: Date, required: true })
  grantedAt!: Date;

  @prop({ type: Date, required: true })
  expiresAt!: Date;
}
