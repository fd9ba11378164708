import { Queue, Worker } from 'bullmq';
import { randomUUID } from 'node:crypto';
import type { App } from '../src/app.js';
import { archiveChains } from '../src/audit/archive-chains.js';
import type { AuditActor } from '../src/audit/audit-trail.js';
import { auditKeys } from '../src/audit/audit-writer.js';
import { startOrClose, type Closers } from '../src/closers.js';
import { expireCredentials } from '../src/identity/expire-credentials.js';
import { workerUsername } from '../src/identity/users/username.js';
import { expireJobs, pruneChunks } from '../src/jobs/expire-jobs.js';
import { expirePredictions } from '../src/jobs/expire-predictions.js';
import { reconcile } from '../src/jobs/reconciler.js';
import { pruneModelChunks } from '../src/model-store/bundle-store.js';
import { logError } from '../src/process/logger.js';
import { pauseOnRefusal } from './pause-on-refusal.js';
import { expireDeliveries } from '../src/webhooks/deliver.js';
import { runRetryDelayMs } from './queue-worker.js';
import type { LookForWebhooks } from './webhooks.js';

const queueName = 'maintenance';
const hourMs = 3_600_000;
/** Time after which a round of archiving ends, milliseconds. */
const archivingMs = 10_000;
const dayMs = 24 * hourMs;
/** Period in which each worker checks that the schedules exist, because a wiped Redis forgets them. Milliseconds. */
const scheduleCheckMs = 5_000;

/** The parts of the app that maintenance uses. */
export type MaintenanceParts = Pick<
  App,
  | 'config'
  | 'logger'
  | 'models'
  | 'audit'
  | 'protectionOf'
  | 'jobDispatcher'
  | 'batchProgress'
  | 'keyRotations'
  | 'prefixSearch'
  | 'latestResults'
  | 'connectRedis'
> & { readonly lookForWebhooks: LookForWebhooks };

/** Work that is done at fixed periods. Each time, only one worker of the deployment does it. */
interface Task {
  readonly everyMs: number;
  run(): Promise<unknown>;
}

function tasksOf(parts: MaintenanceParts): Readonly<Record<string, Task>> {
  const { config, logger, models, jobDispatcher, batchProgress, keyRotations, lookForWebhooks } = parts;
  const { prefixSearch, latestResults } = parts;
  const everyMs = config.reconcileIntervalMs;
  return {
    reconcile: { everyMs, run: () => reconcile({ models, jobDispatcher, batchProgress, graceMs: everyMs, logger }) },
    collectResults: { everyMs, run: () => latestResults.collect() },
    searchTokens: { everyMs, run: () => prefixSearch.work() },
    rotateKeys: { everyMs, run: () => keyRotations.work() },
    deleteRetiredKeys: { everyMs: hourMs / 6, run: () => keyRotations.deleteRetiredKeys() },
    expire: { everyMs: hourMs, run: () => expireJobs(models, config.jobRetentionDays) },
    expireCredentials: { everyMs: hourMs, run: () => expireCredentials(models) },
    prune: { everyMs: hourMs, run: () => pruneChunks(models) },
    webhooks: { everyMs, run: lookForWebhooks },
    expireWebhooks: { everyMs: hourMs, run: () => expireDeliveries(models, config.webhooks.retentionDays) },
    ...retentionTasks(parts),
    pruneModels: { everyMs: hourMs, run: () => pruneModelChunks(models) },
  };
}

const workerActor = (organizationId: string): AuditActor => ({
  organizationId,
  username: workerUsername,
  origin: { requestId: randomUUID(), address: 'local' },
});

/** Removes what is kept for a time that the operator chose. Without a choice it is kept for all time. */
function retentionTasks({ config, logger, models, audit, protectionOf }: MaintenanceParts): Record<string, Task> {
  const { predictionRetentionDays, auditRetentionDays, auditArchiveDirectory: directory } = config;
  const actorOf = workerActor;
  return {
    ...(predictionRetentionDays !== undefined && {
      expirePredictions: {
        everyMs: hourMs,
        run: () => expirePredictions({ models, audit, actorOf }, predictionRetentionDays),
      },
    }),
    ...(auditRetentionDays !== undefined &&
      directory !== undefined && {
        archiveAudit: {
          everyMs: hourMs,
          async run() {
            // Other tasks wait meanwhile, so a long trail is archived in several rounds.
            const end = performance.now() + archivingMs;
            const before = new Date(Date.now() - auditRetentionDays * dayMs);
            const keyOf = auditKeys(protectionOf);
            for await (const archive of archiveChains({ models, keyOf, audit, actorOf, directory }, { before })) {
              logger.info({ ...archive }, 'audit events were archived');
              if (performance.now() > end) break;
            }
          },
        },
      }),
  };
}

/** Keeps the schedules of all tasks in Redis, and runs the tasks that are delivered to this worker. */
export async function startMaintenance(parts: MaintenanceParts): Promise<{ close(): Promise<void> }> {
  return startOrClose(
    async (closers) => {
      runTasks(parts, closers);
      return { close: () => closers.close() };
    },
    (error) => logError(parts.logger, error, 'maintenance did not close after it failed to start', { level: 'warn' }),
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
  // Without a connection the worker is closed by force. If not, it would wait for Redis.
  closers.add(() => worker.close(workerConnection.status !== 'ready'));
  const redisError = (message: string) => (error: Error) =>
    logError(logger, error, `${message}: check that Redis can be reached`, { level: 'warn' });
  closers.add(pauseOnRefusal(worker));
  queue.on('error', redisError('error of the maintenance queue'));
  worker.on('error', redisError('error of the maintenance worker'));
  worker.on('failed', (job, error) =>
    logError(logger, error, 'a maintenance task failed', { level: 'warn', task: job?.name }),
  );

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
      logError(logger, error, 'schedules could not be checked', { level: 'debug' }),
    );
  };
  const timer = setInterval(check, scheduleCheckMs);
  closers.add(() => clearInterval(timer));
  queueConnection.once('ready', check);
  if (queueConnection.status === 'ready') check();
}
