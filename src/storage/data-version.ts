import type { Connection } from 'mongoose';
import { StartupError } from '../errors.js';
import { isDuplicateKey } from './database.js';

/**
 * Version of the stored data that this release reads and writes. Raise it when an older release would misread or damage
 * the data of this one.
 */
export const dataVersion = 2;

/** Reads the version of the stored data. Undefined in an empty database. */
export async function storedDataVersion(database: Connection): Promise<number | undefined> {
  const found = await database.collection<{ _id: string; version: number }>('data_versions').findOne({ _id: 'data' });
  return found?.version;
}

/**
 * Records that this release works on the database, before it changes anything there.
 * @throws StartupError when a newer release has worked on it: this one would misread its data
 */
export async function claimData(database: Connection, version = dataVersion): Promise<void> {
  const collection = database.collection<{ _id: string; version: number }>('data_versions');
  const claim = () =>
    collection.findOneAndUpdate({ _id: 'data' }, { $max: { version } }, { upsert: true, returnDocument: 'after' });
  const claimed = await claim().catch((error: unknown) => {
    // Another process has inserted the document at the same time.
    if (isDuplicateKey(error)) return claim();
    throw error;
  });
  if (claimed && claimed.version > version)
    throw new StartupError(
      `A newer release of RiskGraph has written to this database (data version ${claimed.version}, and this release ` +
        `knows ${version}): start that release again, or restore a backup from before it.`,
    );
}
