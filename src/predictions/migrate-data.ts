import type { Connection } from 'mongoose';
import type { Logger } from 'pino';
import { ensureIndexes, latestResultsRepair, type Models, type Repair } from '../../models/index.js';
import { claimData, dataVersion } from '../storage/data-version.js';
import { createRepairs, type RepairPass } from '../storage/repairs.js';
import { refuseUnfinishedRestore } from '../storage/unfinished-restore.js';
import { createLatestResults } from './latest-results.js';
import { latestResultsPasses } from './repair-latest-results.js';

/** A change of stored data that must be complete before a process of this release serves. */
interface Migration {
  /** Name of its repair. It never changes: a finished one is not begun again. */
  readonly name: string;
  readonly passes: readonly RepairPass[];
}

/** All migrations, in their order. A database that needs none has each of them on record as finished. */
const migrationsOf = (models: Models): readonly Migration[] => [
  // Data version 2: the latest results of a patient are with the patient.
  { name: latestResultsRepair, passes: latestResultsPasses(models, createLatestResults(models)) },
];

/**
 * Time for which a migration waits after the version was raised, milliseconds. Processes of an older release notice that
 * within a second, and end within 15.
 */
const olderProcessesEndMs = 20_000;

interface MigrationDependencies {
  readonly database: Connection;
  readonly models: Models;
  /** A migration whose process is silent for this long is taken over. Milliseconds. */
  readonly leaseMs: number;
  readonly logger: Logger;
  readonly onProgress?: (repair: Repair) => void;
}

/**
 * Brings a database to the data version of this release. Of processes that start at the same time one migrates, and the
 * others wait. When that one is killed, another goes on at the stored position.
 * 1. Record the version of this release, so that older releases refuse the database.
 * 2. Create the indexes that the guarantees rest on.
 * 3. Complete each migration.
 * @throws StartupError when a newer release has worked on the database, or a restore into it has not ended
 */
export async function migrateData(
  { database, models, leaseMs, logger, onProgress }: MigrationDependencies,
  migrations: readonly Migration[] = migrationsOf(models),
): Promise<void> {
  await refuseUnfinishedRestore(database);
  const { raisedFrom, raisedAt } = await claimData(database);
  if (raisedFrom !== undefined)
    logger.warn(
      { from: raisedFrom, to: dataVersion },
      'the data are migrated to a newer version, and older releases refuse them from now on: to go back, restore a ' +
        'backup from before',
    );
  await ensureIndexes(models);
  const repairs = createRepairs({ models, leaseMs, logger });
  const graceMs = raisedAt ? Math.max(0, raisedAt.getTime() + olderProcessesEndMs - Date.now()) : 0;
  for (const { name, passes } of migrations)
    await repairs.complete(name, passes, { graceMs, ...(onProgress && { onProgress }) });
}
