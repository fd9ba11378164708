import { index, modelOptions, prop } from '@typegoose/typegoose';
import { Types, type mongo } from 'mongoose';

/** FIELDS encrypts the fields of documents. INDEX makes the blind indexes that find those documents. */
export enum DataKeyPurpose {
  FIELDS = 'FIELDS',
  INDEX = 'INDEX',
}

/** An ACTIVE key encrypts new data. A RETIRED key only decrypts; it is deleted when no document needs it. */
export enum DataKeyState {
  ACTIVE = 'ACTIVE',
  RETIRED = 'RETIRED',
}

/**
 * A key of one organization. It is encrypted under a master key, which the database does not know. Its id is in every
 * ciphertext that it made.
 */
@modelOptions({ schemaOptions: { collection: 'data_keys', versionKey: false } })
@index({ organization: 1, purpose: 1 }, { unique: true, partialFilterExpression: { state: 'ACTIVE' } })
@index({ organization: 1, state: 1 })
@index({ state: 1, retiredAt: 1 })
export class StoredDataKey {
  _id!: Types.ObjectId;

  @prop({ type: Types.ObjectId, required: true })
  organization!: Types.ObjectId;

  @prop({ type: String, enum: DataKeyPurpose, required: true })
  purpose!: DataKeyPurpose;

  @prop({ type: String, enum: DataKeyState, required: true })
  state!: DataKeyState;

  /** The encrypted key: see src/protection/key-wrap.ts. */
  @prop({ type: Buffer, required: true })
  wrappedKey!: mongo.Binary;

  /** Id of the master key that encrypts this key. */
  @prop({ type: String, required: true })
  masterKey!: string;

  @prop({ type: Date, required: true })
  createdAt!: Date;

  @prop({ type: Date })
  retiredAt?: Date;
}
