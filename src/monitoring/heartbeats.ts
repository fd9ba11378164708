import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Models, WorkerHeartbeat } from '../../models/index.js';
import { logError } from '../process/logger.js';

/** Period between two signs of life of a worker, milliseconds. */
const beatPeriodMs = 5_000;
/** Time without a sign of life after which a worker counts as dead or frozen, milliseconds. */
const silenceMs = 20_000;
/** Time after which the last sign of a dead worker is removed, milliseconds. Each beat removes those of others. */
const forgetMs = 3_600_000;

/** The present work of a process. */
export interface WorkState {
  /** Entries of the queues that it runs. */
  readonly running: number;
  /** Milliseconds since it last took or ended an entry. Undefined before the first one. */
  readonly stepAgeMs: number | undefined;
}

/**
 * Writes a sign of life of this process to MongoDB, now and every few seconds. Redis may be wiped at any moment, so a
 * sign in Redis would be lost with it. The collection holds one document per worker that ran within the last hour.
 * @returns removes the sign, because the process stops
 */
export function startHeartbeat(
  { workerHeartbeats }: Pick<Models, 'workerHeartbeats'>,
  stateOf: () => WorkState,
  logger: Logger,
): () => Promise<void> {
  const _id = randomUUID();
  const { collection } = workerHeartbeats;
  const before = (milliseconds: number) => ({ $subtract: ['$$NOW', milliseconds] });

  async function beat(): Promise<void> {
    const { running, stepAgeMs } = stateOf();
    await collection.updateOne(
      { _id: _id as never },
      [
        {
          $set: {
            beatAt: '$$NOW',
            running,
            ...(stepAgeMs !== undefined && { stepAt: before(Math.round(stepAgeMs)) }),
          },
        },
      ],
      { upsert: true },
    );
    await collection.deleteMany({ $expr: { $lt: ['$beatAt', before(forgetMs)] } });
  }
  let beating: Promise<void> = Promise.resolve();
  let underWay = false;
  const beatNow = (): void => {
    // While MongoDB is away, signs would pile up.
    if (underWay) return;
    underWay = true;
    beating = beat()
      .catch((error: unknown) => logError(logger, error, 'sign of life not written', { level: 'debug' }))
      .finally(() => (underWay = false));
  };
  beatNow();
  const timer = setInterval(beatNow, beatPeriodMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await beating;
    await collection.deleteOne({ _id: _id as never }).catch(() => undefined);
  };
}

/** Reads the work of all workers of the deployment that have given a sign of life lately, by MongoDB's clock. @throws an error of MongoDB */
export async function liveWorkers({ workerHeartbeats }: Pick<Models, 'workerHeartbeats'>): Promise<WorkState[]> {
  const rows = await workerHeartbeats.collection
    .aggregate<Pick<WorkerHeartbeat, 'running'> & { stepAgeMs: number | null }>(
      [
        { $match: { $expr: { $gt: ['$beatAt', { $subtract: ['$$NOW', silenceMs] }] } } },
        {
          $project: {
            running: 1,
            stepAgeMs: { $subtract: ['$$NOW', '$stepAt'] },
          },
        },
      ],
      { maxTimeMS: silenceMs },
    )
    .toArray();
  return rows.map(({ running, stepAgeMs }) => ({ running, stepAgeMs: stepAgeMs ?? undefined }));
}
