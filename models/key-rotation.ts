import { index, modelOptions, prop } from '@typegoose/typegoose';
import { Types } from 'mongoose';

export enum KeyRotationState {
  QUEUED = 'QUEUED',
  ACTIVE = 'ACTIVE',
  COMPLETED = 'COMPLETED',
}

/** The claim of one process to work on a rotation. Two processes at once would do no harm, only needless work. */
@modelOptions({ schemaOptions: { _id: false } })
class KeyRotationLease {
  @prop({ type: String, required: true })
  token!: string;

  @prop({ type: Date, required: true })
  expiresAt!: Date;
}

/** The position of the present pass over the documents. */
@modelOptions({ schemaOptions: { _id: false } })
class KeyRotationPosition {
  @prop({ type: String, required: true })
  collectionName!: string;

  /** Id of the last document that the pass has read. */
  @prop({ type: Types.ObjectId, required: true })
  after!: Types.ObjectId;
}

/**
 * A request to give one organization a new data key. This document decides how far the rotation has come. Workers carry
 * it out.
 */
@modelOptions({ schemaOptions: { collection: 'key_rotations', versionKey: false } })
@index({ organization: 1 }, { unique: true, partialFilterExpression: { unfinished: true } })
@index({ unfinished: 1, _id: 1 })
export class KeyRotation {
  _id!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  organization!: Types.ObjectId;

  @prop({ type: String, enum: KeyRotationState, required: true })
  state!: KeyRotationState;

  /** True until the state is COMPLETED. At most one rotation per organization is unfinished. */
  @prop({ type: Boolean, required: true })
  unfinished!: boolean;

  /** Id of the master key that is to wrap all keys of the organization. */
  @prop({ type: String, required: true })
  masterKey!: string;

  /** The data key to be replaced: the active one when the rotation was requested. */
  @prop({ type: Types.ObjectId, required: true })
  replaces!: Types.ObjectId;

  /** Documents that were encrypted under an older key when the rotation began; 0 before it begins. */
  @prop({ type: Number, required: true })
  total!: number;

  /** Number of those documents that are encrypted under the new key now. */
  @prop({ type: Number, required: true })
  processed!: number;

  /** Documents of the present pass that cannot be decrypted. They are left unchanged, and their data key is kept. */
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
