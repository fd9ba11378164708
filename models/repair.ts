import { modelOptions, prop } from '@typegoose/typegoose';
import { Types } from 'mongoose';

/** Name of the repair that writes the latest results of predictions which an earlier version stored. */
export const latestResultsRepair = 'latest-results';

/** Name of the repair that makes, or removes, the search tokens of an organization's patients. */
export const searchTokensRepair = (organization: Types.ObjectId): string =>
  `${searchTokensRepairs}${organization.toHexString()}`;

/** The beginning of the names of these repairs. */
export const searchTokensRepairs = 'search-tokens:';

/** The claim of one process to work on a repair. Two processes at once would do no harm, only needless work. */
@modelOptions({ schemaOptions: { _id: false } })
class RepairLease {
  @prop({ type: String, required: true })
  token!: string;

  @prop({ type: Date, required: true })
  expiresAt!: Date;
}

/** The position of a repair: the last document that it has handled. */
@modelOptions({ schemaOptions: { _id: false } })
class RepairPosition {
  @prop({ type: String, required: true })
  collectionName!: string;

  @prop({ type: Types.ObjectId, required: true })
  after!: Types.ObjectId;
}

/**
 * A repair: derived data are made for documents that an earlier version stored, or that were stored while a switch was
 * off. This document decides how far it has come. Workers carry it out (src/storage/repairs.ts).
 */
@modelOptions({ schemaOptions: { collection: 'repairs', versionKey: false } })
export class Repair {
  /** Name of the repair, e.g. `latest-results`. */
  @prop({ type: String })
  _id!: string;

  /** Documents to handle, counted when the repair began. */
  @prop({ type: Number, required: true })
  total!: number;

  /** Documents that were handled. */
  @prop({ type: Number, required: true })
  processed!: number;

  @prop({ type: Date, required: true })
  startedAt!: Date;

  /** Time before which no worker begins. Writes of before the request have ended by then. */
  @prop({ type: Date, required: true })
  notBefore!: Date;

  /** Absent while the repair goes on. */
  @prop({ type: Date })
  finishedAt?: Date;

  /** Absent before the first document. */
  @prop({ type: () => RepairPosition })
  position?: RepairPosition;

  @prop({ type: () => RepairLease })
  lease?: RepairLease;
}
