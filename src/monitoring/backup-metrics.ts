import { Gauge, type Registry } from 'prom-client';
import { BackupState, type Backup, type Models } from '../../models/index.js';
import { lastBackups, type LastBackups } from '../backup/backup-records.js';
import { keepLatest } from '../process/latest.js';

/** Age from which the records are read again, milliseconds. */
const recordsAgeMs = 15_000;

/** Adds the metrics of backups. Each process that is scraped gives the same ones, and no scrape waits for MongoDB. */
export function describeBackups(registry: Registry, models: Pick<Models, 'backups'>): void {
  const latest = keepLatest(() => lastBackups(models), recordsAgeMs);
  latest.get();
  const gauge = (name: string, help: string, value: (last: LastBackups) => number | undefined): void => {
    new Gauge({
      name: `riskgraph_backup_${name}`,
      help,
      registers: [registry],
      collect() {
        const last = latest.get();
        const found = last && value(last);
        if (found === undefined) this.remove();
        else this.set(found);
      },
    });
  };
  const secondsSince = (time: Date | undefined): number => (time ? (Date.now() - time.getTime()) / 1_000 : Infinity);
  gauge(
    'age_seconds',
    'Time since the last complete backup was begun that is in its place. +Inf without one.',
    ({ present }) => secondsSince(present?.begunAt),
  );
  gauge('failed', 'Whether the newest backup failed, or could not be restored by its drill.', ({ newest }) =>
    newest && hasFailed(newest) ? 1 : 0,
  );
  gauge('bytes', 'Size of the last complete backup.', ({ completed }) => completed?.bytes);
  gauge('drill_age_seconds', 'Time since a drill last restored a backup. +Inf without one.', ({ restored }) =>
    secondsSince(restored?.restoredAt),
  );
  gauge('drill_seconds', 'Duration of the last drill.', ({ restored }) => restored?.drillSeconds);
  gauge(
    'restore_seconds',
    'Duration of the restore in the last drill: the measured recovery time.',
    ({ restored }) => restored?.restoreSeconds,
  );
}

/** A backup that runs longer than this has died. Milliseconds. */
const longestRunMs = 86_400_000;

function hasFailed({ state, failure, begunAt }: Backup): boolean {
  const died = state === BackupState.RUNNING && Date.now() - begunAt.getTime() > longestRunMs;
  return state === BackupState.FAILED || failure !== undefined || died;
}
