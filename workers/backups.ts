import { Queue, Worker } from 'bullmq';
import type { App } from '../src/app.js';
import type { Closers } from '../src/closers.js';
import { compareWithPlace, recordFailedRun } from '../src/backup/backup-records.js';
import { requireBackupSettings } from '../src/backup/backup-settings.js';
import { StartupError } from '../src/errors.js';
import { logError } from '../src/process/logger.js';
import { runOwnCommand } from '../src/process/own-command.js';
import { pauseOnRefusal } from './pause-on-refusal.js';
import { runRetryDelayMs } from './queue-worker.js';

const queueName = 'backups';
const scheduleName = 'backup';
/** Period in which each worker checks that the schedule exists, because a wiped Redis forgets it. Milliseconds. */
const scheduleCheckMs = 5_000;
/** Period in which each worker checks that the backups are still in their place. Milliseconds. */
const placeCheckMs = 900_000;
/** Tries of a backup that fails, and the pause before the second one, milliseconds. It doubles. */
const tries = { attempts: 3, backoff: { type: 'exponential', delay: 600_000 } } as const;

/** The parts of the app that make backups. */
type BackupParts = Pick<App, 'config' | 'logger' | 'connectRedis' | 'models'>;

/**
 * Makes backups at the times of BACKUP_SCHEDULE, if BACKUP_TARGET is set. Each time, one worker of the deployment runs
 * `riskgraph backup run` as a process of its own, so that scoring does not wait for it.
 * @throws StartupError for settings with which no backup could be made
 */
export function startBackups({ config, logger, connectRedis, models }: BackupParts, closers: Closers): void {
  const catalogue = requireBackupSettings(config);
  if (!catalogue) return;
  const queueConnection = connectRedis('failing-fast');
  closers.add(() => queueConnection.disconnect());
  const workerConnection = connectRedis('waiting');
  closers.add(() => workerConnection.disconnect());
  const queue = new Queue(queueName, { connection: queueConnection, prefix: config.redisPrefix });
  closers.add(() => queue.close().catch(() => undefined));
  const stop = new AbortController();
  const worker = new Worker(
    queueName,
    async () => {
      const begunAt = new Date();
      const { code, lastError } = await runOwnCommand(['backup', 'run'], stop.signal);
      if (code === 0) {
        logger.info('a backup was made');
        return;
      }
      const failed = new FailedRun(ownReason(lastError));
      if (!stop.signal.aborted)
        await recordFailedRun(models, begunAt, failed.message).catch((error: unknown) =>
          logError(logger, error, 'a backup that failed could not be recorded'),
        );
      throw failed;
    },
    { connection: workerConnection, prefix: config.redisPrefix, runRetryDelay: runRetryDelayMs },
  );
  closers.add(() => worker.close(workerConnection.status !== 'ready'));
  closers.add(() => stop.abort());
  const redisError = (message: string) => (error: Error) =>
    logError(logger, error, `${message}: check that Redis can be reached`, { level: 'warn' });
  closers.add(pauseOnRefusal(worker));
  queue.on('error', redisError('error of the queue of backups'));
  worker.on('error', redisError('error of the worker of backups'));
  worker.on('failed', (_job, error) =>
    logError(logger, error, 'a backup failed', error instanceof FailedRun ? { reason: error.message } : {}),
  );
  const look = (): void => {
    compareWithPlace(models, catalogue).catch((error: unknown) => {
      if (stop.signal.aborted) return;
      const reason = error instanceof StartupError ? { reason: error.message } : {};
      logError(logger, error, 'the backups in BACKUP_TARGET could not be looked at', { level: 'warn', ...reason });
    });
  };
  const looks = setInterval(look, placeCheckMs);
  closers.add(() => clearInterval(looks));
  look();

  const check = (): void => {
    ensureSchedule(queue, config.backup.schedule).catch((error: unknown) =>
      logError(logger, error, 'the schedule of backups could not be checked', { level: 'debug' }),
    );
  };
  const timer = setInterval(check, scheduleCheckMs);
  closers.add(() => clearInterval(timer));
  queueConnection.once('ready', check);
  if (queueConnection.status === 'ready') check();
}

/** A run that failed. Its message is the reason, and may be logged. */
class FailedRun extends Error {
  override readonly name = 'FailedRun';
}

/** The last line of a command, if it is an error that was written for a person. Others may quote a document. */
function ownReason(lastError: string): string {
  const [, reason] = /^error: (.*)$/.exec(lastError) ?? [];
  if (reason !== undefined && !/unexpected failure|unknown failure/.test(reason)) return reason;
  return 'the command failed unexpectedly: "riskgraph backup run" shows the reason';
}

/** Makes sure that the queue has the schedule of backups, and the entry of the next one. */
export async function ensureSchedule(queue: Queue, pattern: string): Promise<void> {
  await queue.setGlobalConcurrency(1);
  const present = await queue.getJobScheduler(scheduleName);
  // A change of the schedule removes the entry that waits, so an overdue backup must not be taken for a missing one.
  const waiting = present?.next && (await queue.getJob(`repeat:${scheduleName}:${present.next}`));
  if (present?.pattern === pattern && waiting) return;
  await queue.upsertJobScheduler(
    scheduleName,
    { pattern, tz: 'UTC' },
    { name: scheduleName, opts: { ...tries, removeOnComplete: true, removeOnFail: true } },
  );
}
