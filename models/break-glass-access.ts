import { index, modelOptions, prop } from '@typegoose/typegoose';
import { mongo, Types } from 'mongoose';
import type { Ciphertext } from './patient.js';

/** A clinician's entry to a patient outside of their care team, and why. For whoever reviews it. */
@modelOptions({ schemaOptions: { collection: 'break_glass_accesses', versionKey: false } })
@index({ organization: 1, _id: -1 })
@index({ organization: 1, patient: 1 })
@index({ organization: 1, dataKey: 1, _id: 1 })
export class StoredBreakGlassAccess {
  _id!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  organization!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  patient!: Types.ObjectId;

  @prop({ type: String, required: true })
  username!: string;

  /** Free text of the clinician. */
  @prop({ type: mongo.Binary, required: true })
  reason!: Ciphertext;

  /** The data key of the ciphertext. */
  @prop({ type: Types.ObjectId, required: true })
  dataKey!: Types.ObjectId;

  @prop({ type: Date, required: true })
  grantedAt!: Date;

  @prop({ type: Date, required: true })
  expiresAt!: Date;
}
