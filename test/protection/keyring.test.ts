import { Types } from 'mongoose';
import { expect, test } from 'vitest';
import { DataKeyPurpose, DataKeyState } from '../../models/index.js';
import { createDataKeyStore } from '../../src/protection/data-key-store.js';
import { createKeyring } from '../../src/protection/keyring.js';
import { createProtection } from '../../src/protection/protection.js';
import { namespace } from '../support/namespace.js';
import {
  masterKeysOf,
  protectedProcess,
  randomMasterKeys,
  rotateAll,
  somePatient,
  testDatabase,
  watchedDatabase,
} from '../support/protection.js';
import { requestRotations } from '../../src/protection/request-rotations.js';

const [master] = randomMasterKeys('k1') as [string];

test('the first use makes one key to encrypt and one to index, however many processes start at once', async () => {
  const models = await testDatabase();
  const organization = new Types.ObjectId();
  const processes = await Promise.all(Array.from({ length: 8 }, () => protectedProcess(models, master)));
  const writers = await Promise.all(
    processes.flatMap(({ protectionOf }) => [protectionOf(organization).writer(), protectionOf(organization).writer()]),
  );
  expect(new Set(writers.map(({ dataKey }) => dataKey.toHexString())).size).toBe(1);
  expect(new Set(writers.map(({ blindIndex }) => blindIndex('patients.mrn', 'A'))).size).toBe(1);
  expect(await models.dataKeys.countDocuments({ organization })).toBe(2);
  const other = await processes[0]!.protectionOf(new Types.ObjectId()).writer();
  expect(other.dataKey).not.toEqual(writers[0]!.dataKey);
});

test('a stored key is wrapped, and names its master key', async () => {
  const models = await testDatabase();
  const organization = new Types.ObjectId();
  const { keyring } = await protectedProcess(models, master);
  const { fields, index } = await keyring.writing(organization);
  const stored = await models.dataKeys.find({ organization }).lean();
  expect(stored.map(({ purpose, state, masterKey }) => ({ purpose, state, masterKey }))).toEqual(
    expect.arrayContaining(
      [DataKeyPurpose.FIELDS, DataKeyPurpose.INDEX].map((purpose) => ({
        purpose,
        state: DataKeyState.ACTIVE,
        masterKey: 'k1',
      })),
    ),
  );
  const raw = Buffer.concat(
    (await models.dataKeys.collection.find({}, { raw: true }).toArray()) as unknown as Buffer[],
  );
  for (const key of [fields.key, index]) expect(raw.includes(key.export())).toBe(false);
});

test('requests after the first read no key from MongoDB', async () => {
  const { mongoUri } = namespace();
  await testDatabase(mongoUri);
  const { models, asked } = await watchedDatabase(mongoUri);
  const patients = (await protectedProcess(models, master)).scope(new Types.ObjectId()).patients;
  const { _id, mrn } = await patients.insert(somePatient());
  asked.length = 0;
  for (let round = 0; round < 10; round += 1) {
    await patients.insert(somePatient());
    const found = await patients.findOne({ mrn });
    expect(found!.givenName).toBe('Ada');
    await patients.update((await patients.findOne({ _id }))!, { familyName: `Name ${round}`, version: round + 2 });
    for (const { node } of (await patients.page({ first: 5 }, {})).edges) expect(node.mrn).toMatch(/^TEST-/);
  }
  expect(asked.length).toBeGreaterThan(40);
  expect(asked.filter((collection) => collection === 'data_keys')).toEqual([]);
});

test('a key of another process is read once, when a ciphertext names it', async () => {
  const { mongoUri } = namespace();
  const models = await testDatabase(mongoUri);
  const organization = new Types.ObjectId();
  const first = (await protectedProcess(models, master)).scope(organization).patients;
  const { _id } = await first.insert(somePatient());
  const watched = await watchedDatabase(mongoUri);
  const second = (await protectedProcess(watched.models, master)).scope(organization).patients;
  watched.asked.length = 0;
  for (let round = 0; round < 3; round += 1) expect((await second.findOne({ _id }))!.mrn).toMatch(/^TEST-/);
  expect(watched.asked.filter((collection) => collection === 'data_keys')).toHaveLength(1);
});

test('a key that does not exist is not looked up at every request', async () => {
  const { mongoUri } = namespace();
  const models = await testDatabase(mongoUri);
  const organization = new Types.ObjectId();
  const { _id } = await (await protectedProcess(models, master)).scope(organization).patients.insert(somePatient());
  await models.patients.collection.updateOne({ _id }, { $set: { dataKey: new Types.ObjectId() } });
  await models.dataKeys.deleteMany({ purpose: DataKeyPurpose.FIELDS });
  const watched = await watchedDatabase(mongoUri);
  const { patients } = (await protectedProcess(watched.models, master)).scope(organization);
  watched.asked.length = 0;
  for (let round = 0; round < 5; round += 1) {
    const patient = await patients.findOne({ _id });
    expect(() => patient!.mrn).toThrow(/data key is missing/);
  }
  expect(watched.asked.filter((collection) => collection === 'data_keys')).toHaveLength(1);
});

test('a process writes with the new key after an event, or after its cached key has expired', async () => {
  const models = await testDatabase();
  const organization = new Types.ObjectId();
  const told = await protectedProcess(models, master);
  const store = createDataKeyStore(models, masterKeysOf(master));
  const distrustful = createProtection(createKeyring(store, 0))(organization);
  const before = (await told.keyring.writing(organization)).fields.id;
  expect((await distrustful.writer()).dataKey).toEqual(before);

  await requestRotations(models, 'k1', [organization]);
  await rotateAll(await protectedProcess(models, master));
  expect((await told.keyring.writing(organization)).fields.id).toEqual(before);
  const after = (await distrustful.writer()).dataKey;
  expect(after).not.toEqual(before);
  told.keyring.renew(organization.toHexString());
  expect((await told.keyring.writing(organization)).fields.id).toEqual(after);
});

test('a failed read is not cached', async () => {
  const models = await testDatabase();
  const store = createDataKeyStore(models, masterKeysOf(master));
  let away = true;
  const keyring = createKeyring({
    ...store,
    writing: (organization) => (away ? Promise.reject(new Error('away')) : store.writing(organization)),
  });
  const organization = new Types.ObjectId();
  await expect(keyring.writing(organization)).rejects.toThrow('away');
  away = false;
  expect((await keyring.writing(organization)).fields.id).toBeInstanceOf(Types.ObjectId);
});
