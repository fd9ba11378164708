import { index, modelOptions, prop } from '@typegoose/typegoose';
import type { Types } from 'mongoose';

/** The tenant. Every patient, prediction, job and user belongs to exactly one. */
@modelOptions({ schemaOptions: { collection: 'organizations', versionKey: false } })
@index({ slug: 1 }, { unique: true })
export class Organization {
  _id!: Types.ObjectId;

  /** Short name in commands, e.g. `demo`. */
  @prop({ type: String, required: true })
  slug!: string;

  @prop({ type: String, required: true })
  name!: string;

  /**
   * Erasures of patients so far, counted between a patient's removal and that of its results. Who stores results while it
   * stays the same has stored none of a patient that is gone.
   */
  @prop({ type: Number })
  erasures?: number;

  @prop({ type: Date, required: true })
  createdAt!: Date;
}
