import { BackupState, type Backup, type Models } from '../../models/index.js';
import { backupName, type Catalogue } from './catalogue.js';

/** Records of backups that are kept. */
const keptRecords = 1_000;
/** Age from which a backup is expected in a list of its place: the clocks of two machines may differ. Milliseconds. */
const settledMs = 60_000;

/** The records of the backups of this database. A record is undefined while there is none. */
export interface LastBackups {
  /** The newest backup, however it ended. */
  readonly newest: Backup | undefined;
  /** The newest one that was complete, in its place or not. */
  readonly completed: Backup | undefined;
  /**
   * The newest one that was complete and was not found to be gone. Its age is what a loss of the database would cost now.
   */
  readonly present: Backup | undefined;
  /** The newest one that a drill has restored. */
  readonly restored: Backup | undefined;
}

/** Reads the last backups of this database. @param maxTimeMS longest time of each of four reads */
export async function lastBackups({ backups }: Pick<Models, 'backups'>, maxTimeMS = 10_000): Promise<LastBackups> {
  const newest = async (filter: object): Promise<Backup | undefined> =>
    (await backups.findOne(filter).sort({ begunAt: -1 }).maxTimeMS(maxTimeMS).lean<Backup>()) ?? undefined;
  const [last, completed, present, restored] = await Promise.all([
    newest({}),
    newest({ state: BackupState.COMPLETED }),
    newest({ state: BackupState.COMPLETED, goneAt: { $exists: false } }),
    newest({ restoredAt: { $exists: true } }),
  ]);
  return { newest: last, completed, present, restored };
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

/**
 * Makes sure that a run which has failed is on record, also when it died or could not record anything.
 * @param begunAt time before the run began. An earlier record is not of this run
 */
export async function recordFailedRun(
  { backups }: Pick<Models, 'backups'>,
  begunAt: Date,
  failure: string,
): Promise<void> {
  const found = await backups
    .findOne({ begunAt: { $gte: begunAt } })
    .sort({ begunAt: -1 })
    .lean<Backup>();
  if (!found) {
    const record = { _id: backupName(begunAt), state: BackupState.FAILED, begunAt, endedAt: new Date(), failure };
    await backups.collection.insertOne(record as never);
  } else if (found.state === BackupState.RUNNING) {
    await recordEnd({ backups }, found._id, { state: BackupState.FAILED, failure });
  } else if (found.failure === undefined) {
    await backups.updateOne({ _id: found._id }, { $set: { failure } });
  }
}

/**
 * Brings the records up to what is in the place: which backups are gone, and which ones a drill has restored elsewhere.
 * @throws the error of the place; then the records stay
 */
export async function compareWithPlace(
  { backups }: Pick<Models, 'backups'>,
  catalogue: Pick<Catalogue, 'list'>,
): Promise<void> {
  const settled = new Date(Date.now() - settledMs);
  const found = await catalogue.list();
  const names = found.map(({ name }) => name);
  const isGone = { goneAt: { $exists: true } };
  await backups.updateMany(
    { _id: { $nin: names }, state: BackupState.COMPLETED, endedAt: { $not: { $gte: settled } }, $nor: [isGone] },
    { $set: { goneAt: new Date() } },
  );
  await backups.updateMany({ _id: { $in: names }, ...isGone }, { $unset: { goneAt: 1 } });
  for (const { name, summary: { restoredAt, restoreSeconds } = {} } of found)
    if (restoredAt)
      await backups.updateOne(
        { _id: name, $nor: [{ restoredAt: { $gte: restoredAt } }] },
        { $set: { restoredAt, restoreSeconds }, $unset: { failure: 1 } },
      );
}
