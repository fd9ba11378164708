import mongoose, { type Connection, type Model, type mongo } from 'mongoose';

/** One of the writes, in the form of the driver. */
type JointWrite = mongo.AnyClientBulkWriteModel<mongo.Document>;

/** The outcome of the writes: the number of changed documents, or the first write that MongoDB refused. */
export type JointOutcome =
  | { readonly modified: number; readonly refused?: undefined }
  | { readonly refused: { readonly index: number; readonly code: number } };

/**
 * Writes to several collections with one command, and so with one wait for the journal. MongoDB keeps the order, and stops
 * at the first write that it refuses. Those before it are kept. MongoDB has the command since version 8.0.
 * https://www.mongodb.com/docs/manual/reference/command/bulkWrite/
 */
interface JointWrites {
  /** False for a time after MongoDB did not know the command. */
  readonly available: boolean;
  /**
   * @returns undefined when MongoDB does not know the command: nothing was written, and the caller makes the writes one
   *   after the other
   * @throws the error of MongoDB. Any part may have been written then, in the order of the writes
   */
  write(writes: readonly JointWrite[]): Promise<JointOutcome | undefined>;
}

/** Time until the command is tried again after MongoDB did not know it, milliseconds. */
const pauseMs = 60_000;

/** Codes of MongoDB for a command that it does not know, has disabled, or keeps from this user. */
const unavailable: ReadonlySet<unknown> = new Set([13, 59, 115]);

export function createJointWrites(database: Connection): JointWrites {
  const client = database.getClient();
  let pausedUntil = -Infinity;
  const isAvailable = (): boolean => performance.now() >= pausedUntil;
  return {
    get available() {
      return isAvailable();
    },
    async write(writes) {
      if (!isAvailable()) return undefined;
      try {
        const { modifiedCount } = await client.bulkWrite(writes as never, { ordered: true });
        return { modified: modifiedCount };
      } catch (error) {
        if (!(error instanceof mongoose.mongo.MongoClientBulkWriteError)) throw error;
        const [refusal] = error.writeErrors;
        // After a write concern error it is not known what is durable.
        if (refusal && error.writeConcernErrors.length === 0)
          return { refused: { index: refusal[0], code: refusal[1].code } };
        const { cause } = error;
        if (!unavailable.has((cause as { readonly code?: unknown } | undefined)?.code)) throw cause ?? error;
        pausedUntil = performance.now() + pauseMs;
        return undefined;
      }
    },
  };
}

/** Names the collection of a write. */
export const into = <T>({ db, collection }: Model<T>): { readonly namespace: string } => ({
  namespace: `${db.name}.${collection.collectionName}`,
});
