import { Queue, Worker } from 'bullmq';
import type { Logger } from 'pino';
import type { App } from '../src/app.js';
import { startOrClose, type Closers } from '../src/closers.js';
import { logError } from '../src/process/logger.js';
import { pauseOnRefusal } from './pause-on-refusal.js';
import { queueNames, type EntryKind } from '../src/jobs/scoring-queue.js';

/** Shortest lock of an entry, milliseconds. A worker whose event loop stands still for less keeps its work. */
const shortestLockMs = 1_000;
/**
 * Takeovers per entry that BullMQ allows. MongoDB sets the real limit, where the submitter of the job sees the
 * attempts.
 */
const unlimitedTakeovers = 1_000;
/** Time between a failed read of the queue and the next read, milliseconds. The default of BullMQ is 15 s. */
export const runRetryDelayMs = 500;
/** Period between two checks for a worker that is idle while work waits. Milliseconds. */
const idleCheckMs = 5_000;

/** Takes entries from one queue and runs them. */
export interface QueueWorker {
  close(): Promise<void>;
}

interface QueueWorkerDependencies {
  readonly kind: EntryKind;
  /** Most entries that run at the same time. */
  readonly concurrency: number;
  /** Time of silence after which another worker has taken over the work of this one. Milliseconds. */
  readonly leaseMs: number;
  /** @param isRepeated true when the entry was delivered before */
  readonly process: (data: unknown, isRepeated: boolean) => Promise<void>;
  readonly connectRedis: App['connectRedis'];
  readonly redisPrefix: string;
  readonly logger: Logger;
}

/**
 * Runs the entries of one queue. After a failover of Redis, a worker was once connected and idle while work waited. So
 * a worker is replaced when it took no entry between two checks although entries waited.
 */
export async function startQueueWorker(dependencies: QueueWorkerDependencies): Promise<QueueWorker> {
  return startOrClose(
    async (closers) => {
      takeEntries(dependencies, closers);
      return { close: () => closers.close() };
    },
    (error) =>
      logError(dependencies.logger, error, 'a queue worker did not close after it failed to start', { level: 'warn' }),
  );
}

function takeEntries(
  { kind, concurrency, leaseMs, process, connectRedis, redisPrefix, logger }: QueueWorkerDependencies,
  closers: Closers,
): void {
  const name = queueNames[kind];
  // BullMQ finds an entry at the second search after the end of its lock. Together that is one lease.
  const lockMs = Math.max(shortestLockMs, leaseMs / 2);
  let taken = 0;
  let running = 0;

  function start() {
    const connection = connectRedis('waiting', { pipelined: true });
    const worker = new Worker(
      name,
      async (job) => {
        taken += 1;
        running += 1;
        await process(job.data, job.attemptsStarted > 1).finally(() => (running -= 1));
      },
      {
        connection,
        prefix: redisPrefix,
        concurrency,
        lockDuration: lockMs,
        stalledInterval: lockMs / 2,
        maxStalledCount: unlimitedTakeovers,
        runRetryDelay: runRetryDelayMs,
      },
    );
    worker.on('error', (error) =>
      logError(logger, error, 'error of a scoring worker: check that Redis can be reached', {
        level: 'warn',
        queue: name,
      }),
    );
    const endPause = pauseOnRefusal(worker);
    return {
      isPaused: () => worker.isPaused(),
      async close(force: boolean) {
        endPause();
        // Without a connection the worker is closed by force. If not, it would wait for Redis.
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
    const stuck = running === 0 && !current.isPaused() && Object.values(counts).some((count) => count > 0);
    if (stuck && idleSince === taken) {
      logger.warn({ queue: name }, 'a worker is idle while work waits in its queue: it is replaced');
      const old = current;
      current = start();
      await old.close(true);
    }
    idleSince = stuck ? taken : undefined;
  }
  let looking: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    // A worker is not replaced while the queue cannot be read.
    looking = looking.then(replaceIfStuck).catch(() => undefined);
  }, idleCheckMs);
  // A check that is under way may replace the current worker, so closing waits for it.
  closers.add(() => looking);
  closers.add(() => clearInterval(timer));
}
