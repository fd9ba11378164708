import type { Connection } from 'mongoose';
import { StartupError } from '../errors.js';

/**
 * Version of the stored data that this release reads and writes. Raise it when an older release would misread or damage
 * what this one writes.
 */
export const dataVersion = 2;

/** The code of MongoDB for a document that another process has inserted at the same time. */
const duplicateKey = 11000;

/**
 * Records that this release works on the database, before it changes anything there.
 * @throws StartupError when a newer release has worked on it: this one would misread its data
 */
export async function claimData(database: Connection, version = dataVersion): Promise<void> {
  const collection = database.collection<{ _id: string; version: number }>('data_versions');
  const claim = () =>
    collection.findOneAndUpdate({ _id: 'data' }, { $max: { version } }, { upsert: true, returnDocument: 'after' });
  const claimed = await claim().catch((error: unknown) => {
    if ((error as { code?: unknown }).code === duplicateKey) return claim();
    throw error;
  });
  if (claimed && claimed.version > version)
    throw new StartupError(
      `A newer release of RiskGraph has written to this database (data version ${claimed.version}, and this release ` +
        `knows ${version}): start that release again, or restore a backup from before it.`,
    );
}
