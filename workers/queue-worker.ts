import { Queue, Worker } from 'bullmq';
import type { Logger } from 'pino';
import type { App } from '../src/app.js';
import { startOrClose, type Closers } from '../src/closers.js';
import { queueNames, type EntryKind } from '../src/jobs/scoring-queue.js';

/** Another worker takes over the work of one that gave no sign of life for this long, milliseconds. */
const lockMs = 5_000;
/** Period between two looks for such work, milliseconds. */
const stalledCheckMs = 2_500;
/** MongoDB counts and bounds the takeovers, where the job's submitter sees them. The queue never gives up before that. */
const unlimitedTakeovers = 1_000;
/** Time between a failed read of the queue and the next, milliseconds. BullMQ itself would wait 15 s. */
export const runRetryDelayMs = 500;
/** Period between two looks whether a worker is idle while work waits, milliseconds. */
const idleCheckMs = 5_000;

/** Takes one kind of work off its queue. */
export interface QueueWorker {
  close(): Promise<void>;
}

interface QueueWorkerDependencies {
  readonly kind: EntryKind;
  /** Entries that run at once. */
  readonly concurrency: number;
  readonly process: (data: unknown) => Promise<void>;
  readonly connectRedis: App['connectRedis'];
  readonly redisPrefix: string;
  readonly logger: Logger;
}

/**
 * Runs the entries of one queue. After a failover of Redis a worker has been seen connected and idle while work waited.
 * So a worker is replaced when it took nothing between two looks although something waited.
 */
export async function startQueueWorker(dependencies: QueueWorkerDependencies): Promise<QueueWorker> {
  return startOrClose(
    async (closers) => {
      takeEntries(dependencies, closers);
      return { close: () => closers.close() };
    },
    (error) => dependencies.logger.warn({ err: error }, 'a queue worker did not close after its failed start'),
  );
}

function takeEntries(
  { kind, concurrency, process, connectRedis, redisPrefix, logger }: QueueWorkerDependencies,
  closers: Closers,
): void {
  const name = queueNames[kind];
  let taken = 0;
  let running = 0;

  function start() {
    const connection = connectRedis('waiting', { pipelined: true });
    const worker = new Worker(
      name,
      async (job) => {
        taken += 1;
        running += 1;
        await process(job.data).finally(() => (running -= 1));
      },
      {
        connection,
        prefix: redisPrefix,
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
        // Without Redis a worker that closes properly would wait for it.
        await worker.close(force || connection.status !== 'ready');
        connection.disconnect();
      },
    };
  }

  const watchConnection = connectRedis('failing-fast');
  closers.add(() => watchConnection.disconnect());
  const queue = new Queue(name, { connection: watchConnection, prefix: redisPrefix, skipVersionCheck: true });
  closers.add(() => queue.close().catch(() => undefined));
  queue.on('error', () => undefined);
  let current = start();
  closers.add(() => current.close(false));
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
  // A look that is under way may replace the current worker.
  closers.add(() => looking);
  closers.add(() => clearInterval(timer));
}
