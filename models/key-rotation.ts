import { index, modelOptions, prop } from '@typegoose/typegoose';
import { Types } from 'mongoose';

export enum KeyRotationState {
  QUEUED = 'QUEUED',
  ACTIVE = 'ACTIVE',
  COMPLETED = 'COMPLETED',
}

/** Which process works on a rotation. Two at once would do no harm, only work for nothing. */
@modelOptions({ schemaOptions: { _id: false } })
class KeyRotationLease {
  @prop({ type: String, required: true })
  token!: string;

  @prop({ type: Date, required: true })
  expiresAt!: Date;
}

/** How far the present pass over the documents has come. */
@modelOptions({ schemaOptions: { _id: false } })
class KeyRotationPosition {
  @prop({ type: String, required: true })
  collectionName!: string;

  /** The last document that was looked at. */
  @prop({ type: Types.ObjectId, required: true })
  after!: Types.ObjectId;
}

/** A request to give one organization a new data key, and the truth about how far it has come. Workers carry it out. */
@modelOptions({ schemaOptions: { collection: 'key_rotations', versionKey: false } })
@index({ organization: 1 }, { unique: true, partialFilterExpression: { unfinished: true } })
@index({ unfinished: 1, _id: 1 })
export class KeyRotation {
  _id!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  organization!: Types.ObjectId;

  @prop({ type: String, enum: KeyRotationState, required: true })
  state!: KeyRotationState;

  /** Not COMPLETED: of these there is one an organization. */
  @prop({ type: Boolean, required: true })
  unfinished!: boolean;

  /** Id of the master key under which all keys of the organization are to be wrapped. */
  @prop({ type: String, required: true })
  masterKey!: string;

  /** The data key that is to be replaced: the active one when the rotation was asked for. */
  @prop({ type: Types.ObjectId, required: true })
  replaces!: Types.ObjectId;

  /** Documents that were encrypted under an older key when the rotation began; 0 until then. */
  @prop({ type: Number, required: true })
  total!: number;

  /** Of those, how many are encrypted under the new key by now. */
  @prop({ type: Number, required: true })
  processed!: number;

  /** Documents that cannot be opened, of the present pass. They stay as they are, and their data key stays with them. */
  @prop({ type: Number, required: true })
  failed!: number;

  @prop({ type: Date, required: true })
  requestedAt!: Date;

  @prop({ type: Date })
  startedAt?: Date;

  @prop({ type: Date })
  finishedAt?: Date;

  /** Absent at the start of a pass. */
  @prop({ type: () => KeyRotationPosition })
  position?: KeyRotationPosition;

  @prop({ type: () => KeyRotationLease })
  lease?: KeyRotationLease;
}
