import { index, modelOptions, prop } from '@typegoose/typegoose';
import type { Types } from 'mongoose';

/** The tenant. Every patient, prediction, job and user belongs to exactly one organization. */
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
   * Number of patient erasures so far. An erasure is counted after the patient is removed and before its results are.
   * A worker compares the number before and after it stores results. If it did not change, no result of an erased
   * patient
   * was stored.
   */
  @prop({ type: Number })
  erasures?: number;

  /** True when patients can be found by the beginning of MRN and family name. Absent: they cannot. */
  @prop({ type: Boolean })
  prefixSearch?: boolean;

  @prop({ type: Date, required: true })
  createdAt!: Date;
}
