import { BackupState, type Backup, type Models } from '../../models/index.js';

/** Records of backups that are kept. */
const keptRecords = 1_000;

/** The records of the backups of this database. A record is undefined while there is none. */
export interface LastBackups {
  /** The newest backup, however it ended. */
  readonly newest: Backup | undefined;
  /** The newest one that is complete. Its age is what a loss of the database would cost now. */
  readonly completed: Backup | undefined;
  /** The newest one that a drill has restored. */
  readonly restored: Backup | undefined;
}

/** Reads the last backups of this database. @param maxTimeMS longest time of each of three reads */
export async function lastBackups({ backups }: Pick<Models, 'backups'>, maxTimeMS = 10_000): Promise<LastBackups> {
  const newest = async (filter: object): Promise<Backup | undefined> =>
    (await backups.findOne(filter).sort({ begunAt: -1 }).maxTimeMS(maxTimeMS).lean<Backup>()) ?? undefined;
  const [last, completed, restored] = await Promise.all([
    newest({}),
    newest({ state: BackupState.COMPLETED }),
    newest({ restoredAt: { $exists: true } }),
  ]);
  return { newest: last, completed, restored };
}

/** Records that a backup was begun. Old records are removed. */
export async function recordBegin({ backups }: Pick<Models, 'backups'>, name: string, begunAt: Date): Promise<void> {
  await backups.collection.insertOne({ _id: name, state: BackupState.RUNNING, begunAt } as never);
  const [oldest] = await backups
    .find({}, { begunAt: 1 })
    .sort({ begunAt: -1 })
    .skip(keptRecords)
    .limit(1)
    .lean<Backup[]>();
  if (oldest) await backups.deleteMany({ begunAt: { $lte: oldest.begunAt } });
}

/** Records how a backup has ended. */
export async function recordEnd(
  { backups }: Pick<Models, 'backups'>,
  name: string,
  end: Pick<Backup, 'state' | 'bytes' | 'documents' | 'failure'>,
): Promise<void> {
  await backups.updateOne({ _id: name }, { $set: { ...end, endedAt: new Date() } });
}

/** Records the outcome of a drill. A backup that is not of this database has no record, and gets none. */
export async function recordDrill(
  { backups }: Pick<Models, 'backups'>,
  name: string,
  outcome: Pick<Backup, 'restoreSeconds' | 'drillSeconds'> | { readonly failure: string },
): Promise<void> {
  await backups.updateOne(
    { _id: name },
    'failure' in outcome
      ? { $set: outcome, $unset: { restoredAt: 1 } }
      : { $set: { ...outcome, restoredAt: new Date() }, $unset: { failure: 1 } },
  );
}
