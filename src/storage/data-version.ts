import type { Connection } from 'mongoose';
import { StartupError } from '../errors.js';
import { isDuplicateKey } from './database.js';

/**
 * Version of the stored data that this release reads and writes. Raise it when an older release would misread or damage
 * the data of this one.
 */
export const dataVersion = 2;

/** The version of the data of a database. */
interface StoredVersion {
  readonly _id: string;
  readonly version: number;
  /** The time when it was raised to this number. Absent when the database was made with it. */
  readonly raisedAt?: Date;
}

const collectionOf = (database: Connection) => database.collection<StoredVersion>('data_versions');

/** Reads the version of the stored data. Undefined in an empty database. */
export async function storedDataVersion(database: Connection): Promise<number | undefined> {
  return (await collectionOf(database).findOne({ _id: 'data' }))?.version;
}

/** Says why this release refuses data of a newer one. */
export const newerData = (stored: number, version = dataVersion): string =>
  `A newer release of RiskGraph has written to this database (data version ${stored}, and this release knows ` +
  `${version}): start that release again, or restore a backup from before it.`;

/** @throws StartupError for data of a newer release, which this one would misread */
export async function refuseNewerData(database: Connection): Promise<void> {
  const stored = await storedDataVersion(database);
  if (stored !== undefined && stored > dataVersion) throw new StartupError(newerData(stored));
}

/** The outcome of a claim. */
interface ClaimedData {
  /** The version before, if this claim has raised it. */
  readonly raisedFrom?: number;
  /** The time when the data got the version of this release. Absent when the database was made with it. */
  readonly raisedAt?: Date;
}

/**
 * Records that this release works on the database, before it changes anything there. Releases that know only an older
 * version refuse the database from now on, and those that run on it end.
 * @throws StartupError when a newer release has worked on it: this one would misread its data
 */
export async function claimData(database: Connection, version = dataVersion): Promise<ClaimedData> {
  const isOlder = { $and: [{ $isNumber: '$version' }, { $lt: ['$version', version] }] };
  const claim = () =>
    collectionOf(database).findOneAndUpdate(
      { _id: 'data' },
      [
        {
          $set: {
            raisedAt: { $cond: [isOlder, '$$NOW', '$raisedAt'] },
            version: { $max: ['$version', version] },
          },
        },
      ],
      { upsert: true, returnDocument: 'before' },
    );
  const before = await claim().catch((error: unknown) => {
    // Another process has inserted the document at the same time.
    if (isDuplicateKey(error)) return claim();
    throw error;
  });
  if (before && before.version > version) throw new StartupError(newerData(before.version, version));
  if (!before) return {};
  if (before.version < version) return { raisedFrom: before.version, raisedAt: new Date() };
  return before.raisedAt ? { raisedAt: before.raisedAt } : {};
}

/**
 * Checks the version before a command works on the database. A command does not raise it: that would end the processes
 * of an older release.
 * @throws StartupError when a newer or an older release works on it
 */
export async function requireData(database: Connection): Promise<void> {
  const stored = await storedDataVersion(database);
  if (stored !== undefined && stored < dataVersion)
    throw new StartupError(
      `An older release of RiskGraph works on this database (data version ${stored}, and this release needs ` +
        `${dataVersion}): use the command of that release, or make a backup and start an API, a worker, "riskgraph up" ` +
        'or "riskgraph migrate" of this one.',
    );
  await claimData(database);
}
