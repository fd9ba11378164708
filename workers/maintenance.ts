import { Queue, Worker } from 'bullmq';
import type { App } from '../src/app.js';
import { expireCredentials } from '../src/identity/expire-credentials.js';
import { expireJobs, pruneChunks } from '../src/jobs/expire-jobs.js';
import { reconcile } from '../src/jobs/reconciler.js';
import { runRetryDelayMs } from './queue-worker.js';

const queueName = 'maintenance';
const hourMs = 3_600_000;
/** How often each worker sees to it that the schedules exist: a wiped Redis forgets them. */
const scheduleCheckMs = 5_000;

/** Work that is due by the clock, once in the whole deployment, whichever worker takes it. */
export async function startMaintenance(app: App): Promise<{ close(): Promise<void> }> {
  const { config, logger } = app;
  const tasks: Record<string, { readonly everyMs: number; run(): Promise<unknown> }> = {
    reconcile: {
      everyMs: config.reconcileIntervalMs,
      run: () => reconcile({ ...app, graceMs: config.reconcileIntervalMs }),
    },
    rotateKeys: { everyMs: config.reconcileIntervalMs, run: () => app.keyRotations.work() },
    deleteRetiredKeys: { everyMs: hourMs / 6, run: () => app.keyRotations.deleteRetiredKeys() },
    expire: { everyMs: hourMs, run: () => expireJobs(app.models, config.jobRetentionDays) },
    expireCredentials: { everyMs: hourMs, run: () => expireCredentials(app.models) },
    prune: { everyMs: hourMs, run: () => pruneChunks(app.models) },
  };
  const queueConnection = app.connectRedis('failing-fast');
  const workerConnection = app.connectRedis('waiting');
  const queue = new Queue(queueName, { connection: queueConnection, prefix: config.redisPrefix });
  const worker = new Worker(queueName, async (job) => tasks[job.name]?.run(), {
    connection: workerConnection,
    prefix: config.redisPrefix,
    runRetryDelay: runRetryDelayMs,
  });
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
  queueConnection.once('ready', check);
  if (queueConnection.status === 'ready') check();

  return {
    async close() {
      clearInterval(timer);
      await worker.close(workerConnection.status !== 'ready');
      await queue.close().catch(() => undefined);
      queueConnection.disconnect();
      workerConnection.disconnect();
    },
  };
}
