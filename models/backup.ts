import { index, modelOptions, prop } from '@typegoose/typegoose';

/** A RUNNING backup whose process died stays RUNNING. */
export enum BackupState {
  RUNNING = 'RUNNING',
  COMPLETED = 'COMPLETED',
  FAILED = 'FAILED',
}

/** One backup of this database that was begun, and its outcome. A backup does not hold these documents. */
@modelOptions({ schemaOptions: { collection: 'backups', versionKey: false } })
@index({ begunAt: -1 })
export class Backup {
  /** Name of the archive. */
  @prop({ type: String })
  _id!: string;

  @prop({ type: String, enum: BackupState, required: true })
  state!: BackupState;

  /** All that was acknowledged before this time is in the backup. */
  @prop({ type: Date, required: true })
  begunAt!: Date;

  @prop({ type: Date })
  endedAt?: Date;

  /** Size of the archive. */
  @prop({ type: Number })
  bytes?: number;

  @prop({ type: Number })
  documents?: number;

  /** The reason of a failure, in one line, or that of a failed drill. */
  @prop({ type: String })
  failure?: string;

  /** Time when the archive of a complete backup was first found to be no longer in its place. A prune is one reason. */
  @prop({ type: Date })
  goneAt?: Date;

  /** Time when a drill has restored the backup into a scratch database, and has found everything in it. */
  @prop({ type: Date })
  restoredAt?: Date;

  /** Duration of that restore: the measured recovery time. */
  @prop({ type: Number })
  restoreSeconds?: number;

  /** Duration of the whole drill: the restore, and all that was checked after it. */
  @prop({ type: Number })
  drillSeconds?: number;
}
