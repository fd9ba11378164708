/*
 * The end of a single job in one write: the prediction, the patient's latest result, and the state of the job.
 *
 * 1. The predictions of jobs that end at the same time get the next numbers of their log.
 * 2. One bulk write of several collections inserts them, then writes the latest results, then ends the jobs. MongoDB keeps
 *    this order, and stops at the first write that it refuses. So a crash leaves a part of what the separate writes would
 *    leave, and the same repairs suffice.
 * 3. When anything is refused, the caller makes the writes one after the other. It finds what was stored already.
 *
 * MongoDB has such writes since version 8.0. With an earlier one, all writes are made one after the other.
 * https://www.mongodb.com/docs/manual/reference/command/bulkWrite/
 */
import { randomUUID } from 'node:crypto';
import mongoose, { type Model, type mongo } from 'mongoose';
import type { Models, Prediction } from '../../models/index.js';
import { latestResultWrite } from '../predictions/latest-results.js';
import { duplicateKeyCode } from '../storage/database.js';
import type { LogWriter } from '../storage/document-log.js';
import { createGroupCommit, type GroupCommit } from '../storage/group-commit.js';
import { largestCohort } from '../storage/group-queries.js';
import { changeStatements, jobsWritten, type JobChangeRequest } from './compare-and-set.js';

/** The change that ends a job, and the prediction that belongs to it. */
interface Completion extends JobChangeRequest {
  readonly prediction: Prediction;
}

/**
 * Writes completions together. The result tells whether all of it was written. If not, any part of it may have been, in
 * the order of the writes.
 */
export type Completions = GroupCommit<Completion, boolean>;

/** Time for which no such write is tried after MongoDB did not take one, milliseconds. */
const pauseMs = 60_000;

export function createCompletions(
  { scoringJobs, patients, predictions }: Models,
  log: Pick<LogWriter<Prediction>, 'number'>,
): Completions {
  const client = predictions.db.getClient();
  let pausedUntil = -Infinity;

  /** @returns whether the answer tells that all was written. If it does not, any part of it may have been */
  async function write(completions: readonly Completion[], writeId: string): Promise<boolean> {
    const numbered = await log.number(completions.map(({ prediction }) => prediction));
    const writes: mongo.AnyClientBulkWriteModel<mongo.Document>[] = [
      ...numbered.documents.map((document) => ({ ...into(predictions), name: 'insertOne' as const, document })),
      ...completions.map(({ prediction }) => ({
        ...into(patients),
        name: 'updateOne' as const,
        ...latestResultWrite(prediction),
      })),
      ...changeStatements(completions, writeId).map(({ updateMany }) => ({
        ...into(scoringJobs),
        name: 'updateMany' as const,
        ...updateMany,
      })),
    ];
    try {
      const { modifiedCount } = await client.bulkWrite(writes as never, { ordered: true });
      numbered.settle(true);
      // A latest result that is newer is left alone. Then the number of changes does not tell what became of the jobs.
      return modifiedCount === 2 * completions.length;
    } catch (error) {
      numbered.settle(false);
      if (!isRefusedNumber(error)) pausedUntil = performance.now() + pauseMs;
      return false;
    }
  }

  return createGroupCommit(
    async (completions) => {
      if (performance.now() < pausedUntil) return completions.map(() => ({ value: false }));
      const writeId = randomUUID();
      if (await write(completions, writeId)) return completions.map(() => ({ value: true }));
      const written = await jobsWritten(scoringJobs, completions, writeId);
      return completions.map(({ job }) => ({ value: written.has(job._id.toHexString()) }));
    },
    { largest: largestCohort },
  );
}

const into = <T>({ db, collection }: Model<T>) => ({ namespace: `${db.name}.${collection.collectionName}` });

/** Tells whether another worker has taken the number of a prediction, or has stored the prediction before. */
const isRefusedNumber = (error: unknown): boolean =>
  error instanceof mongoose.mongo.MongoClientBulkWriteError &&
  [...error.writeErrors.values()].some(({ code }) => code === duplicateKeyCode);
