import { index, modelOptions, prop } from '@typegoose/typegoose';
import { Types } from 'mongoose';

/** A clinician's entry to a patient outside of their care team, and why. For whoever reviews it. */
@modelOptions({ schemaOptions: { collection: 'break_glass_accesses', versionKey: false } })
@index({ organization: 1, _id: -1 })
@index({ organization: 1, patient: 1 })
export class BreakGlassAccess {
  _id!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  organization!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  patient!: Types.ObjectId;

  @prop({ type: String, required: true })
  username!: string;

  /** Free text of the clinician. */
  @prop({ type: String, required: true })
  reason!: string;

  @prop({ type: Date, required: true })
  grantedAt!: Date;

  @prop({ type: Date, required: true })
  expiresAt!: Date;
}
