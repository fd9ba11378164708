import { index, modelOptions, prop } from '@typegoose/typegoose';

/**
 * The latest sign of life of one worker process. The process writes it every few seconds, and removes it when it stops.
 * All times are those of MongoDB's clock.
 */
@modelOptions({ schemaOptions: { collection: 'worker_heartbeats', versionKey: false } })
@index({ beatAt: 1 })
export class WorkerHeartbeat {
  /** A random id of the process. */
  @prop({ type: String, required: true })
  _id!: string;

  /** Time of the event-loop turn that wrote this. */
  @prop({ type: Date, required: true })
  beatAt!: Date;

  /** Time when the process last took or ended an entry of a queue. Absent before the first one. */
  @prop({ type: Date })
  stepAt?: Date;

  /** Entries that the process runs. */
  @prop({ type: Number, required: true })
  running!: number;
}
