import type { Connection } from 'mongoose';
import { BackupState, type Models } from '../../models/index.js';
import { StartupError } from '../errors.js';
import { packageVersion } from '../process/package-root.js';
import { dataVersion, storedDataVersion } from '../storage/data-version.js';
import { refuseUnfinishedRestore } from '../storage/unfinished-restore.js';
import { encrypterTo, packArchive, type ArchiveEntry } from './archive.js';
import { lastBackups, recordBegin, recordEnd } from './backup-records.js';
import { backupName, type Catalogue } from './catalogue.js';
import type { BackupSummary } from './manifest.js';
import { readDatabase } from './read-database.js';

interface BackupCreation {
  readonly database: Connection;
  readonly models: Models;
  readonly catalogue: Catalogue;
  /** Public keys of age, at least one. */
  readonly recipients: readonly string[];
  /** Files that go into the archive besides the database. */
  readonly files: readonly ArchiveEntry[];
  /** Describes an error in one line, for the record. */
  readonly describe: (error: unknown) => string;
  readonly onProgress?: (documents: number, total: number) => void;
}

/**
 * Makes a backup of a database while processes work on it, and records it there.
 * @throws StartupError without recipients, and for a missing folder; the error of the database or of the place. Then
 *   nothing is left of it but its record
 */
export async function createBackup(creation: BackupCreation): Promise<BackupSummary> {
  const { database, models, catalogue, recipients, files, describe, onProgress = () => undefined } = creation;
  await refuseUnfinishedRestore(database);
  const begunAt = new Date();
  const name = backupName(begunAt);
  let documents = 0;
  await recordBegin(models, name, begunAt);
  try {
    encrypterTo(recipients);
    await refuseMissingPlace(models, catalogue);
    const version = (await storedDataVersion(database)) ?? dataVersion;
    const entries = readDatabase({
      connection: database,
      models,
      name,
      begunAt,
      dataVersion: version,
      files,
      onProgress(done, total) {
        documents = done;
        onProgress(done, total);
      },
    });
    const archive = await packArchive(entries, recipients);
    const summary = await catalogue.store(name, archive, () => ({
      begunAt,
      endedAt: new Date(),
      release: packageVersion(),
      dataVersion: version,
      documents,
    }));
    await recordEnd(models, name, { state: BackupState.COMPLETED, bytes: summary.bytes, documents });
    return summary;
  } catch (error) {
    await recordEnd(models, name, { state: BackupState.FAILED, failure: describe(error) }).catch(() => undefined);
    throw error;
  }
}

/** @throws StartupError when earlier backups were made, and the folder is gone: its disk is not mounted, most likely */
async function refuseMissingPlace(models: Models, { place, isThere }: Catalogue): Promise<void> {
  if (await isThere()) return;
  if ((await lastBackups(models)).completed)
    throw new StartupError(
      `The folder ${place} is not there, and earlier backups were made: mount its disk, or make the folder if it is a new one.`,
    );
}
