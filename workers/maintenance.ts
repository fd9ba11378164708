import { Queue, Worker } from 'bullmq';
import type { App } from '../src/app.js';
import { startOrClose, type Closers } from '../src/closers.js';
import { expireCredentials } from '../src/identity/expire-credentials.js';
import { expireJobs, pruneChunks } from '../src/jobs/expire-jobs.js';
import { reconcile } from '../src/jobs/reconciler.js';
import { runRetryDelayMs } from './queue-worker.js';

const queueName = 'maintenance';
const hourMs = 3_600_000;
/** How often each worker makes sure that the schedules exist: a wiped Redis forgets them. Milliseconds. */
const scheduleCheckMs = 5_000;

/** The parts of the app that maintenance works with. */
export type MaintenanceParts = Pick<
  App,
  'config' | 'logger' | 'models' | 'jobDispatcher' | 'batchProgress' | 'keyRotations' | 'connectRedis'
>;

/** Work that is due by the clock. Each time one worker of the deployment does it. */
interface Task {
  readonly everyMs: number;
  run(): Promise<unknown>;
}

function tasksOf(parts: MaintenanceParts): Readonly<Record<string, Task>> {
  const { config, logger, models, jobDispatcher, batchProgress, keyRotations } = parts;
  const everyMs = config.reconcileIntervalMs;
  return {
    reconcile: { everyMs, run: () => reconcile({ models, jobDispatcher, batchProgress, graceMs: everyMs, logger }) },
    rotateKeys: { everyMs, run: () => keyRotations.work() },
    deleteRetiredKeys: { everyMs: hourMs / 6, run: () => keyRotations.deleteRetiredKeys() },
    expire: { everyMs: hourMs, run: () => expireJobs(models, config.jobRetentionDays) },
    expireCredentials: { everyMs: hourMs, run: () => expireCredentials(models) },
    prune: { everyMs: hourMs, run: () => pruneChunks(models) },
  };
}

/** Keeps the tasks on their schedules, and runs those that come to this worker. */
export async function startMaintenance(parts: MaintenanceParts): Promise<{ close(): Promise<void> }> {
  return startOrClose(
    async (closers) => {
      runTasks(parts, closers);
      return { close: () => closers.close() };
    },
    (error) => parts.logger.warn({ err: error }, 'maintenance did not close after its failed start'),
  );
}

function runTasks(parts: MaintenanceParts, closers: Closers): void {
  const { config, logger } = parts;
  const tasks = tasksOf(parts);
  const queueConnection = parts.connectRedis('failing-fast');
  closers.add(() => queueConnection.disconnect());
  const workerConnection = parts.connectRedis('waiting');
  closers.add(() => workerConnection.disconnect());
  const queue = new Queue(queueName, { connection: queueConnection, prefix: config.redisPrefix });
  closers.add(() => queue.close().catch(() => undefined));
  const worker = new Worker(queueName, async (job) => tasks[job.name]?.run(), {
    connection: workerConnection,
    prefix: config.redisPrefix,
    runRetryDelay: runRetryDelayMs,
  });
  // Without Redis a worker that closes properly would wait for it.
  closers.add(() => worker.close(workerConnection.status !== 'ready'));
  queue.on('error', (error) => logger.warn({ reason: error.message }, 'maintenance queue'));
  worker.on('error', (error) => logger.warn({ reason: error.message }, 'maintenance worker'));
  worker.on('failed', (job, error) => logger.warn({ task: job?.name, err: error }, 'maintenance task failed'));

  async function ensureSchedules(): Promise<void> {
    for (const [name, { everyMs }] of Object.entries(tasks)) {
      const present = await queue.getJobScheduler(name);
      if (present?.every === everyMs && (present.next ?? 0) > Date.now() - scheduleCheckMs) continue;
      await queue.upsertJobScheduler(
        name,
        { every: everyMs },
        { name, opts: { removeOnComplete: true, removeOnFail: true } },
      );
    }
  }
  const check = (): void => {
    ensureSchedules().catch((error: unknown) =>
      logger.debug({ reason: error instanceof Error ? error.message : 'unknown' }, 'schedules not checked'),
    );
  };
  const timer = setInterval(check, scheduleCheckMs);
  closers.add(() => clearInterval(timer));
  queueConnection.once('ready', check);
  if (queueConnection.status === 'ready') check();
}
