import { mongo, Types } from 'mongoose';
import { expect, test, vi } from 'vitest';
import { Role, type StoredPatient } from '../../models/index.js';
import { createPatientDecryption } from '../../src/scope/patient-cipher.js';
import { requestRotations } from '../../src/protection/request-rotations.js';
import { createKeptDocuments } from '../../src/scope/kept-documents.js';
import type { Patient } from '../../src/scope/patient.js';
import { protectedProcess, randomMasterKeys, rotateAll, somePatient, testDatabase } from '../support/protection.js';

const [master] = randomMasterKeys('k1') as [string];

const bsonOf = (document: object): Uint8Array => mongo.BSON.serialize(document);

test('a document of the same bytes is the same object, and one other byte makes it another', () => {
  const kept = createKeptDocuments();
  const _id = new Types.ObjectId();
  const first = kept.read<{ name: string }>(bsonOf({ _id, name: 'Ada' }));
  expect(kept.read(bsonOf({ _id, name: 'Ada' }))).toBe(first);
  expect(kept.read(bsonOf({ _id, name: 'Adb' }))).toEqual({ _id, name: 'Adb' });
  expect(first).toEqual({ _id, name: 'Ada' });
  expect(kept.read(bsonOf({ _id: new Types.ObjectId(), name: 'Ada' }))).not.toBe(first);
});

test('a document is read from its own copy, which holds nothing else in memory', () => {
  const kept = createKeptDocuments();
  const document = { _id: new Types.ObjectId(), bytes: new mongo.Binary(Buffer.from('sealed')) };
  const bytes = bsonOf(document);
  const answer = Buffer.concat([Buffer.alloc(100_000), bytes]);
  const read = kept.read<typeof document>(answer.subarray(100_000));
  answer.fill(0);
  expect(Buffer.from(read.bytes.value())).toEqual(Buffer.from('sealed'));
  expect(read.bytes.buffer.buffer.byteLength).toBe(bytes.length);
  expect(kept.read(bytes)).toBe(read);
});

test('no reader can change a document that others read too', () => {
  const kept = createKeptDocuments();
  const bytes = bsonOf({ _id: new Types.ObjectId(), name: 'Ada', features: [{ code: 'age', value: 1 }], inner: {} });
  const read = kept.read<{ name: string; features: { value: number }[]; inner: Record<string, number> }>(bytes);
  expect(() => (read.name = 'Eve')).toThrow(TypeError);
  expect(() => read.features.push({ value: 2 })).toThrow(TypeError);
  expect(() => (read.features[0]!.value = 2)).toThrow(TypeError);
  expect(() => (read.inner.more = 1)).toThrow(TypeError);
});

test('all documents together have a bound: those that were read longest ago go', () => {
  const kept = createKeptDocuments({ mostBytes: 100_000 });
  const documents = Array.from({ length: 1_000 }, () => bsonOf({ _id: new Types.ObjectId(), text: 'x'.repeat(200) }));
  documents.forEach((bytes) => kept.read(bytes));
  expect(kept.size).toBeGreaterThan(10);
  expect(kept.size * documents[0]!.length).toBeLessThan(100_000);
  const last = kept.read(documents.at(-1)!);
  expect(kept.read(documents.at(-1)!)).toBe(last);
  // A document that is larger than all may be together is read all the same.
  expect(
    kept.read<{ text: string }>(bsonOf({ _id: new Types.ObjectId(), text: 'x'.repeat(50_000) })).text,
  ).toHaveLength(50_000);
});

test('a document that was parsed a minute ago is parsed again, and one that is not read any more is let go', () => {
  vi.useFakeTimers();
  try {
    const kept = createKeptDocuments();
    const bytes = bsonOf({ _id: new Types.ObjectId(), name: 'Ada' });
    const first = kept.read(bytes);
    vi.advanceTimersByTime(50_000);
    expect(kept.read(bytes)).toBe(first);
    vi.advanceTimersByTime(15_000);
    expect(kept.read(bytes)).not.toBe(first);
    vi.advanceTimersByTime(200_000);
    expect(kept.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

async function start() {
  const models = await testDatabase();
  const process = await protectedProcess(models, master);
  const organization = new Types.ObjectId();
  const scope = process.scope(organization);
  return { models, process, organization, scope };
}

test('a patient who has not changed is the same object, in lists and by id', async () => {
  const { scope } = await start();
  const { _id } = await scope.patients.insert(somePatient());
  const first = (await scope.patients.findOne({ _id }))!;
  expect(first.familyName).toBe('Lovelace');
  expect((await scope.patients.page({ first: 1 }, {})).edges[0]!.node).toBe(first);
  expect((await scope.everyPatient.findMany([_id]))[0]).toBe(first);
  expect(() => ((first as { version: number }).version = 9)).toThrow(TypeError);
});

test('every way of writing a patient shows in the next read', async () => {
  const { models, process, organization, scope } = await start();
  const { _id } = await scope.patients.insert(somePatient());
  const read = async (): Promise<Patient> => (await scope.patients.findOne({ _id }))!;
  const listed = async (): Promise<Patient> => (await scope.patients.page({ first: 5 }, {})).edges[0]!.node;
  const current = await read();
  expect(current.givenName).toBe('Ada');

  // An update of the service.
  await scope.patients.update(current, { givenName: 'Augusta', version: 2 });
  expect([(await read()).givenName, (await listed()).givenName]).toEqual(['Augusta', 'Augusta']);
  // A bulk.
  await scope.patients.writeMany([{ current: await read(), changes: { givenName: 'Ada', version: 3 } }]);
  expect([(await read()).givenName, (await listed()).givenName]).toEqual(['Ada', 'Ada']);
  // A care team, and a write that goes past all services.
  await scope.careTeams.updateMany({ _id }, { $set: { careTeam: ['ada'] } });
  expect([(await read()).careTeam, (await listed()).careTeam]).toEqual([['ada'], ['ada']]);
  await models.patients.collection.updateOne({ _id }, { $set: { sex: 'OTHER' } });
  expect([(await read()).sex, (await listed()).sex]).toEqual(['OTHER', 'OTHER']);

  // A rotation: the same name under another key.
  const before = await read();
  const dataKeyOf = async () => (await models.patients.findById(_id).lean<StoredPatient>())!.dataKey;
  const oldKey = await dataKeyOf();
  await requestRotations(models, 'k1', [organization]);
  await rotateAll(process);
  expect(await dataKeyOf()).not.toEqual(oldKey);
  const after = await read();
  expect(after).not.toBe(before);
  expect(after.givenName).toBe('Ada');

  // An erasure.
  await scope.patients.deleteMany({ _id });
  expect(await scope.patients.findOne({ _id })).toBeNull();
  expect((await scope.patients.page({ first: 5 }, {})).edges).toEqual([]);
});

test('a patient whose data key the process has no more is not shown, although the document is kept', async () => {
  const { models, process, organization } = await start();
  const { _id } = await process.scope(organization).patients.insert(somePatient());
  const protection = process.protectionOf(organization);
  const stored = createKeptDocuments().read<StoredPatient>(
    bsonOf((await models.patients.collection.findOne({ _id }))!),
  );
  const decrypt = createPatientDecryption();
  const patient = decrypt(protection, await protection.reader([stored.dataKey]), stored);
  expect(patient.familyName).toBe('Lovelace');
  expect(decrypt(protection, await protection.reader([]), stored)).toBe(patient);
  // A process that never had the key stands for one that has lost it.
  const without = (await protectedProcess(models, master)).protectionOf(organization);
  await models.dataKeys.deleteOne({ _id: stored.dataKey });
  const lost = decrypt(without, await without.reader([stored.dataKey]), stored);
  expect(() => lost.familyName).toThrow('its data key is missing');
});

test('a kept patient is hidden as soon as a care team closes it', async () => {
  const { process, organization, scope } = await start();
  const { _id } = await scope.patients.insert(somePatient());
  const { patients } = process.scopeOf({
    organizationId: organization.toHexString(),
    role: Role.CLINICIAN,
    username: 'outside',
  });
  expect(await patients.findOne({ _id })).not.toBeNull();
  await scope.careTeams.updateMany({ _id }, { $set: { careTeam: ['inside'] } });
  expect(await patients.findOne({ _id })).toBeNull();
  expect((await patients.page({ first: 5 }, {})).edges).toEqual([]);
  expect(await patients.findMany([_id])).toEqual([null]);
});
