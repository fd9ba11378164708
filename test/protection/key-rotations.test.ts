import { Types } from 'mongoose';
import { describe, expect, test } from 'vitest';
import {
  DataKeyPurpose,
  DataKeyState,
  KeyRotationState,
  type KeyRotation,
  type Models,
  type StoredPatient,
} from '../../models/index.js';
import { protectedCollections, type ProtectedCollection } from '../../src/protection/protected-collections.js';
import { requestRotations, rotationProgress } from '../../src/protection/request-rotations.js';
import { reseal } from '../../src/protection/reseal.js';
import { protectedProcess, randomMasterKeys, rotateAll, somePatient, testDatabase } from '../support/protection.js';

const [master] = randomMasterKeys('k1') as [string];

async function seeded(patients: number) {
  const models = await testDatabase();
  const organization = new Types.ObjectId();
  const worker = await protectedProcess(models, master);
  const given = Array.from({ length: patients }, (_, index) =>
    somePatient({ familyName: index % 2 === 0 ? `Name ${index}` : undefined }),
  );
  const records = worker.scope(organization).patients;
  await records.insertNew(given);
  const documents = (): Promise<StoredPatient[]> =>
    models.patients.find({ organization }).sort({ _id: 1 }).lean<StoredPatient[]>();
  const rotation = (): Promise<KeyRotation> =>
    models.keyRotations.findOne({ organization }).lean<KeyRotation>().orFail();
  const [{ dataKey: before }] = (await documents()) as [StoredPatient, ...StoredPatient[]];
  return { models, organization, worker, given, records, documents, rotation, before };
}

async function expectUnchanged({ records, given }: Awaited<ReturnType<typeof seeded>>): Promise<void> {
  const found = await records.findMany(given.map(({ _id }) => _id));
  found.forEach((patient, index) => {
    const { mrn, givenName, familyName, birthDate, version } = given[index]!;
    expect(patient).toMatchObject({ mrn, givenName, familyName, birthDate, version });
  });
}

test('a rotation encrypts every document again, reports its progress, and retires the old key', async () => {
  const system = await seeded(1_200);
  const { models, organization, worker, rotation, documents, before } = system;
  const otherOrganization = new Types.ObjectId();
  const elsewhere = await worker.scope(otherOrganization).patients.insert(somePatient());
  const plain = await models.patients.findById(elsewhere._id).lean();

  const ids = await requestRotations(models, 'k1', [organization]);
  expect(await rotation()).toMatchObject({ state: 'QUEUED', unfinished: true, processed: 0, total: 0 });
  const seen: number[] = [];
  while (await worker.rotations.work(0)) seen.push((await rotation()).processed);
  expect(seen).toEqual([500, 1000, 1200, 1200]);
  expect(await rotation()).toMatchObject({
    state: 'COMPLETED',
    unfinished: false,
    processed: 1200,
    total: 1200,
    failed: 0,
  });
  expect(await rotation()).not.toHaveProperty('lease');
  expect(await rotationProgress(models, ids)).toEqual({
    processed: 1200,
    total: 1200,
    failed: 0,
    unfinished: 0,
    waiting: 0,
  });

  const keys = new Set((await documents()).map(({ dataKey }) => dataKey.toHexString()));
  expect(keys.size).toBe(1);
  expect(keys).not.toContain(before.toHexString());
  expect(await models.dataKeys.findById(before).lean()).toMatchObject({
    state: DataKeyState.RETIRED,
    retiredAt: expect.any(Date) as Date,
  });
  await expectUnchanged(system);
  expect(await models.patients.findById(elsewhere._id).lean()).toEqual(plain);
});

test('a rotation is requested once per organization at a time, and another one can follow it', async () => {
  const system = await seeded(3);
  const { models, organization, worker, before } = system;
  const requested = await Promise.all(Array.from({ length: 10 }, () => requestRotations(models, 'k1', [organization])));
  expect(new Set(requested.flat().map(String)).size).toBe(1);
  await rotateAll(worker);
  await requestRotations(models, 'k1', [organization]);
  await rotateAll(worker);
  expect(await models.keyRotations.countDocuments({ state: KeyRotationState.COMPLETED })).toBe(2);
  expect(await models.dataKeys.countDocuments({ organization, state: DataKeyState.RETIRED })).toBe(2);
  expect(await models.dataKeys.exists({ _id: before, state: DataKeyState.RETIRED })).not.toBeNull();
  await expectUnchanged(system);
});

test('an organization without keys has nothing to rotate', async () => {
  const models = await testDatabase();
  expect(await requestRotations(models, 'k1', [new Types.ObjectId()])).toEqual([]);
  expect(await (await protectedProcess(models, master)).rotations.work()).toBe(false);
});

test('several workers carry out one rotation together, and each continues where a killed one stopped', async () => {
  const system = await seeded(2_500);
  const { models, organization, rotation } = system;
  await requestRotations(models, 'k1', [organization]);
  const workers = await Promise.all([1, 2, 3].map(() => protectedProcess(models, master)));
  for (let turn = 0; (await rotation()).unfinished; turn += 1) {
    await Promise.all(workers.map(({ rotations }) => rotations.work(0)));
    // The state after kill -9: the lease belongs to a worker that is gone, and ended a moment ago.
    await models.keyRotations.updateOne(
      { organization, unfinished: true },
      { $set: { lease: { token: `killed ${turn}`, expiresAt: new Date(0) } } },
    );
  }
  expect(await models.dataKeys.countDocuments({ organization, purpose: DataKeyPurpose.FIELDS })).toBe(2);
  await expectUnchanged(system);
});

test.each<[string, (context: Awaited<ReturnType<typeof seeded>>) => Promise<unknown>]>([
  [
    'it had retired the old key',
    ({ models, before }) =>
      models.dataKeys.updateOne({ _id: before }, { $set: { state: DataKeyState.RETIRED, retiredAt: new Date() } }),
  ],
  [
    'it had made the new key',
    async ({ models, before, worker, organization }) => {
      await worker.store.retire(before);
      await worker.store.writing(organization);
      expect(await models.dataKeys.countDocuments({ organization, purpose: DataKeyPurpose.FIELDS })).toBe(2);
    },
  ],
])('a worker that was killed when %s is followed by one that makes no further key', async (_, killedAfter) => {
  const system = await seeded(10);
  const { models, organization, before, documents } = system;
  await requestRotations(models, 'k1', [organization]);
  await killedAfter(system);
  await rotateAll(await protectedProcess(models, master));
  expect(await models.dataKeys.countDocuments({ organization, purpose: DataKeyPurpose.FIELDS })).toBe(2);
  expect((await documents()).every(({ dataKey }) => !dataKey.equals(before))).toBe(true);
  await expectUnchanged(system);
});

describe('a document that is changed between the read and the write of the rotation', () => {
  /** Runs one round of the rotation, and `meanwhile` after its read. */
  async function roundWith(system: Awaited<ReturnType<typeof seeded>>, meanwhile: () => Promise<unknown>) {
    const { models, organization, worker, before } = system;
    await worker.store.retire(before);
    worker.keyring.renew();
    const protection = worker.protectionOf(organization);
    const [target] = protectedCollections(models) as [ProtectedCollection];
    const interrupted = { ...protection, writer: async () => (await meanwhile(), protection.writer()) };
    return (await reseal(target, organization, interrupted, [before]).next()).value;
  }

  test('keeps the change', async () => {
    const system = await seeded(3);
    const { records, given } = system;
    const { _id } = given[0]!;
    const current = (await records.findOne({ _id }))!;
    const outcome = await roundWith(system, () =>
      records.update(current, { givenName: null, familyName: 'Changed', version: 2 }),
    );
    expect(outcome).toMatchObject({ read: 3, failed: [] });
    expect(await records.findOne({ _id })).toMatchObject({ familyName: 'Changed', givenName: undefined, version: 2 });
  });

  test('keeps a change that was written with the old key, and is encrypted in a later round', async () => {
    const system = await seeded(2);
    const { models, organization, given, before } = system;
    const stale = await protectedProcess(models, master);
    const staleRecords = stale.scope(organization).patients;
    const { _id } = given[0]!;
    const current = (await staleRecords.findOne({ _id }))!;
    await stale.keyring.writing(organization);
    await roundWith(system, () => staleRecords.update(current, { familyName: 'Changed', version: 2 }));
    expect((await models.patients.findById(_id).lean())!.dataKey).toEqual(before);
    expect(await system.records.findOne({ _id })).toMatchObject({ familyName: 'Changed', version: 2 });
    expect(await roundWith(system, async () => undefined)).toMatchObject({ read: 1, failed: [] });
    expect((await models.patients.findById(_id).lean())!.dataKey).not.toEqual(before);
    expect(await system.records.findOne({ _id })).toMatchObject({ familyName: 'Changed', version: 2 });
  });

  test('stays deleted', async () => {
    const system = await seeded(2);
    const { _id } = system.given[0]!;
    await roundWith(system, () => system.records.deleteMany({ _id }));
    expect(await system.records.findOne({ _id })).toBeNull();
  });
});

test('a document that cannot be decrypted is counted and keeps its key; the others are encrypted again', async () => {
  const system = await seeded(600);
  const { models, organization, worker, given, rotation, before } = system;
  const broken = given.slice(0, 2).map(({ _id }) => _id);
  const [donor] = await models.patients.find({ _id: given[5]!._id }).lean<StoredPatient[]>();
  await models.patients.collection.updateMany({ _id: { $in: broken } }, { $set: { mrn: donor!.mrn } });
  await requestRotations(models, 'k1', [organization]);
  await rotateAll(worker, 0);
  expect(await rotation()).toMatchObject({ state: 'COMPLETED', total: 600, processed: 598, failed: 2 });
  expect(await models.patients.countDocuments({ dataKey: before })).toBe(2);
  expect(await worker.rotations.deleteRetiredKeys(0)).toBe(0);
  expect(await models.dataKeys.exists({ _id: before })).not.toBeNull();
  await models.patients.deleteMany({ _id: { $in: broken } });
  expect(await worker.rotations.deleteRetiredKeys(0)).toBe(1);
});

describe('a retired key', () => {
  test('is kept for a while, then deleted after documents written with it are encrypted again', async () => {
    const system = await seeded(5);
    const { models, organization, worker, before } = system;
    const stale = await protectedProcess(models, master);
    await stale.keyring.writing(organization);
    await requestRotations(models, 'k1', [organization]);
    await rotateAll(worker);
    const late = await stale.scope(organization).patients.insert(somePatient({ familyName: 'Late' }));
    expect((await models.patients.findById(late._id).lean())!.dataKey).toEqual(before);

    expect(await worker.rotations.deleteRetiredKeys()).toBe(0);
    expect(await models.dataKeys.exists({ _id: before })).not.toBeNull();
    expect(await worker.rotations.deleteRetiredKeys(0)).toBe(1);
    expect(await models.dataKeys.exists({ _id: before })).toBeNull();
    const fresh = await protectedProcess(models, master);
    expect(await fresh.scope(organization).patients.findOne({ _id: late._id })).toMatchObject({ familyName: 'Late' });
    expect(await stale.scope(organization).patients.findOne({ _id: late._id })).toMatchObject({ familyName: 'Late' });
    await expectUnchanged(system);
  });

  test('is not deleted while a rotation of its organization is unfinished', async () => {
    const { models, organization, worker } = await seeded(1_200);
    await requestRotations(models, 'k1', [organization]);
    await worker.rotations.work(0);
    expect(await worker.rotations.deleteRetiredKeys(0)).toBe(0);
    await rotateAll(worker);
    expect(await worker.rotations.deleteRetiredKeys(0)).toBe(1);
  });
});

test('every model with a data key is one that rotations know', async () => {
  const models = await testDatabase();
  const known = protectedCollections(models).map(({ model }) => model.modelName);
  const withDataKey = Object.values(models as unknown as Record<string, Models['patients']>).filter(
    ({ schema }) => schema.path('dataKey') !== undefined,
  );
  expect(withDataKey.map(({ modelName }) => modelName).sort()).toEqual([...known].sort());
});
