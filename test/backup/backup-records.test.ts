/** Covers src/backup/backup-records.ts. */
import { expect, test } from 'vitest';
import { BackupState, type Backup } from '../../models/index.js';
import { compareWithPlace, lastBackups, recordFailedRun } from '../../src/backup/backup-records.js';
import type { FoundBackup } from '../../src/backup/catalogue.js';
import { startSystem } from '../support/system.js';

const { app } = await startSystem({ worker: false });
const { backups } = app.models;
const hoursAgo = (hours: number): Date => new Date(Date.now() - hours * 3_600_000);

async function records(...given: readonly Partial<Backup>[]): Promise<void> {
  await backups.deleteMany({});
  for (const [at, one] of given.entries()) {
    const begunAt = hoursAgo(given.length - at);
    const record = { state: BackupState.COMPLETED, begunAt, endedAt: begunAt, ...one };
    await backups.collection.insertOne(record as never);
  }
}

const placeWith = (...found: readonly FoundBackup[]) => ({ list: async () => [...found] });
const found = (name: string, drill?: { readonly restoredAt: Date; readonly restoreSeconds: number }): FoundBackup => ({
  name,
  begunAt: new Date(0),
  summary: drill && {
    ...{ format: 1, name, begunAt: new Date(0), endedAt: new Date(0), release: '', dataVersion: 1 },
    ...{ bytes: 1, sha256: '', documents: 1, ...drill },
  },
});
const present = async (): Promise<string | undefined> => (await lastBackups(app.models)).present?._id;

test('a backup that is no longer in its place has no age, until it is there again', async () => {
  await records({ _id: 'a' }, { _id: 'b' });
  await compareWithPlace(app.models, placeWith(found('a'), found('b')));
  expect(await present()).toBe('b');
  await compareWithPlace(app.models, placeWith(found('a')));
  expect(await present()).toBe('a');
  await compareWithPlace(app.models, placeWith());
  expect(await present()).toBeUndefined();
  expect((await lastBackups(app.models)).completed?._id).toBe('b');
  await compareWithPlace(app.models, placeWith(found('b')));
  expect(await present()).toBe('b');
});

test('a backup that has just ended is not taken for a missing one', async () => {
  await records({ _id: 'a', endedAt: new Date() });
  await compareWithPlace(app.models, placeWith());
  expect(await present()).toBe('a');
});

test('a drill of another machine counts, and an older one does not replace a newer', async () => {
  await records({ _id: 'a', failure: 'full' });
  const drill = { restoredAt: hoursAgo(0.5), restoreSeconds: 7 };
  await compareWithPlace(app.models, placeWith(found('a', drill)));
  await compareWithPlace(app.models, placeWith(found('a', { restoredAt: hoursAgo(2), restoreSeconds: 9 })));
  const { restored } = await lastBackups(app.models);
  expect(restored).toMatchObject({ _id: 'a', ...drill });
  expect(restored).not.toHaveProperty('failure');
});

test('a place that cannot be read changes no record', async () => {
  await records({ _id: 'a' });
  const away = { list: () => Promise.reject(new Error('away')) };
  await expect(compareWithPlace(app.models, away)).rejects.toThrow('away');
  expect(await present()).toBe('a');
});

test.each<[string, Partial<Backup> | undefined, Partial<Backup>]>([
  ['before it recorded anything', undefined, { state: BackupState.FAILED, failure: 'why' }],
  ['while it ran', { _id: 'x', state: BackupState.RUNNING }, { _id: 'x', state: BackupState.FAILED, failure: 'why' }],
  ['after the backup', { _id: 'x' }, { _id: 'x', state: BackupState.COMPLETED, failure: 'why' }],
  ['with a reason', { _id: 'x', state: BackupState.FAILED, failure: 'own' }, { _id: 'x', failure: 'own' }],
])('a run that failed %s is on record', async (_when, left, expected) => {
  await records({ _id: 'earlier' });
  const begunAt = new Date();
  if (left) await backups.collection.insertOne({ state: BackupState.COMPLETED, begunAt: new Date(), ...left } as never);
  await recordFailedRun(app.models, begunAt, 'why');
  expect((await lastBackups(app.models)).newest).toMatchObject(expected);
  expect(await backups.findById('earlier').lean()).not.toHaveProperty('failure');
});
