import { Queue, Worker } from 'bullmq';
import type { App } from '../src/app.js';
import { queueNames, type QueueEntry } from '../src/jobs/scoring-queue.js';

/** A worker that died is noticed after this long, and its work taken over. Milliseconds. */
const lockMs = 5_000;
const stalledCheckMs = 2_500;
/** Takeovers are counted and bounded in MongoDB, where the job's submitter can see them; the queue itself never gives up first. */
const unlimitedTakeovers = 1_000;
/** After a failed read of the queue the worker asks again this soon; BullMQ itself would wait 15 s. Milliseconds. */
export const runRetryDelayMs = 500;
/** How often a worker looks whether it is idle while work waits. Milliseconds. */
const idleCheckMs = 5_000;

/** Takes one kind of work off its queue. */
interface QueueWorker {
  close(): Promise<void>;
}

/**
 * Runs the entries of one queue, `concurrency` at a time. After a failover of Redis a worker has been seen connected
 * and idle while work waited: one that took nothing between two looks although something waited is replaced.
 */
export function startQueueWorker(
  app: App,
  kind: QueueEntry['kind'],
  concurrency: number,
  process: (data: unknown) => Promise<void>,
): QueueWorker {
  const { config, logger } = app;
  const name = queueNames[kind];
  let taken = 0;
  let running = 0;

  function start() {
    const connection = app.connectRedis('waiting', { pipelined: true });
    const worker = new Worker(
      name,
      async (job) => {
        taken += 1;
        running += 1;
        await process(job.data).finally(() => (running -= 1));
      },
      {
        connection,
        prefix: config.redisPrefix,
        concurrency,
        lockDuration: lockMs,
        stalledInterval: stalledCheckMs,
        maxStalledCount: unlimitedTakeovers,
        runRetryDelay: runRetryDelayMs,
      },
    );
    worker.on('error', (error) => logger.warn({ queue: name, reason: error.message }, 'scoring worker'));
    return {
      async close(force: boolean) {
        // Without Redis a worker that says goodbye properly would wait for it for ever.
        await worker.close(force || connection.status !== 'ready');
        connection.disconnect();
      },
    };
  }

  const watchConnection = app.connectRedis('failing-fast');
  const queue = new Queue(name, { connection: watchConnection, prefix: config.redisPrefix, skipVersionCheck: true });
  queue.on('error', () => undefined);
  let current = start();
  let idleSince: number | undefined;

  async function replaceIfStuck(): Promise<void> {
    const counts = await queue.getJobCounts('wait', 'prioritized');
    const stuck = running === 0 && Object.values(counts).some((count) => count > 0);
    if (stuck && idleSince === taken) {
      logger.warn({ queue: name }, 'work waits while this worker is idle: it is replaced');
      const old = current;
      current = start();
      await old.close(true);
    }
    idleSince = stuck ? taken : undefined;
  }
  let looking: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    // A queue that cannot be read now is no reason to replace anything.
    looking = looking.then(replaceIfStuck).catch(() => undefined);
  }, idleCheckMs);

  return {
    async close() {
      clearInterval(timer);
      await looking;
      await current.close(false);
      await queue.close().catch(() => undefined);
      watchConnection.disconnect();
    },
  };
}
