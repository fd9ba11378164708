import type { Connection } from 'mongoose';
import { StartupError } from '../errors.js';

/** The mark of a database into which a backup is being restored. */
interface RestoreMark {
  readonly _id: string;
  /** Name of the backup. */
  readonly backup: string;
}

const markOf = ({ db }: Connection) => db!.collection<RestoreMark>('data_versions');
const id = 'restore';

/** Marks a database before the first document of a backup is written to it. */
export async function beginRestore(database: Connection, backup: string): Promise<void> {
  await markOf(database).insertOne({ _id: id, backup });
}

/** Removes the mark. The write waits for the journal, and all writes before it are in the journal then. */
export async function endRestore(database: Connection): Promise<void> {
  await markOf(database).deleteOne({ _id: id });
}

/** @returns the name of the backup whose restore did not end */
export async function unfinishedRestore(database: Connection): Promise<string | undefined> {
  return (await markOf(database).findOne({ _id: id }))?.backup;
}

/** @throws StartupError for a database that holds a part of a backup only */
export async function refuseUnfinishedRestore(database: Connection): Promise<void> {
  const backup = await unfinishedRestore(database);
  if (backup !== undefined)
    throw new StartupError(
      `The restore of ${backup} into this database did not end: wait for it, or run "riskgraph backup restore" again, ` +
        'which starts over.',
    );
}
