import { index, modelOptions, prop } from '@typegoose/typegoose';

/** One file of a stored bundle. Its bytes are in the chunks that name its hash. */
@modelOptions({ schemaOptions: { _id: false } })
export class StoredModelFile {
  @prop({ type: String, required: true })
  name!: string;

  /** Lower-case hex. */
  @prop({ type: String, required: true })
  sha256!: string;

  @prop({ type: Number, required: true })
  size!: number;
}

/**
 * A version of a risk model that was added while the deployment runs. The document is written in one piece, after all
 * chunks of its files. So a version that exists is whole, and one that is not whole does not exist.
 */
@modelOptions({ schemaOptions: { collection: 'risk_model_versions', versionKey: false } })
export class StoredModelVersion {
  /** `modelId@version`. */
  @prop({ type: String })
  _id!: string;

  @prop({ type: String, required: true })
  modelId!: string;

  @prop({ type: String, required: true })
  version!: string;

  /** Hash over all files. The files of a version never change. */
  @prop({ type: String, required: true })
  hash!: string;

  @prop({ type: () => [StoredModelFile], required: true })
  files!: StoredModelFile[];

  @prop({ type: Date, required: true })
  addedAt!: Date;

  /** The last time that the files were written. Processes that refused the version look at it again when it changes. */
  @prop({ type: Date, required: true })
  storedAt!: Date;

  /** Set while the version is not offered for new jobs. */
  @prop({ type: Date })
  retiredAt?: Date;

  /** The time when an operator chose this version. Of a model's versions, the one chosen last is the default. */
  @prop({ type: Date })
  chosenAt?: Date;
}

/** A piece of a file of a stored bundle. MongoDB allows 16 MB per document, and model files are larger. */
@modelOptions({ schemaOptions: { collection: 'risk_model_chunks', versionKey: false } })
@index({ sha256: 1, storedAt: 1 })
export class StoredModelChunk {
  /** `sha256:number`, the number of the first chunk is 0. */
  @prop({ type: String })
  _id!: string;

  /** Hash of the whole file. */
  @prop({ type: String, required: true })
  sha256!: string;

  @prop({ type: Buffer, required: true })
  bytes!: Buffer;

  @prop({ type: Date, required: true })
  storedAt!: Date;
}
