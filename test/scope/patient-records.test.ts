import { Types } from 'mongoose';
import { describe, expect, test } from 'vitest';
import { CiphertextError } from '../../src/protection/errors.js';
import { isDuplicateKey } from '../../src/storage/database.js';
import { protectedProcess, randomMasterKeys, somePatient, testDatabase } from '../support/protection.js';

const [master] = randomMasterKeys('k1') as [string];

async function records() {
  const models = await testDatabase();
  const organization = new Types.ObjectId();
  const { patients } = (await protectedProcess(models, master)).scope(organization);
  const stored = async (_id: Types.ObjectId) =>
    (await models.patients.collection.findOne({ _id })) as unknown as Record<string, unknown>;
  return { models, organization, patients, stored };
}

describe('patients', () => {
  test('are read exactly as written: by id, by MRN, by family name and in pages', async () => {
    const { patients, organization } = await records();
    const given = somePatient({ familyName: 'Müller' });
    const whole = { ...given, organization };
    expect(await patients.insert(given)).toEqual(whole);
    expect(await patients.findOne({ _id: given._id })).toEqual(whole);
    expect(await patients.findOne({ mrn: ` ${given.mrn} ` })).toEqual(whole);
    expect(await patients.findOne({ familyName: 'MÜLLER' })).toEqual(whole);
    expect(await patients.findOne({ mrn: given.mrn, familyName: 'Other' })).toBeNull();
    expect(await patients.findMany([new Types.ObjectId(), given._id])).toEqual([null, whole]);
    const page = await patients.page({ first: 10 }, { familyName: 'müller' });
    expect(page.edges.map(({ node }) => node)).toEqual([whole]);
    expect(await page.countAll()).toBe(1);
  });

  test('may lack everything except the MRN', async () => {
    const { patients, stored } = await records();
    const { _id } = await patients.insert(
      somePatient({ givenName: undefined, familyName: undefined, birthDate: undefined }),
    );
    expect(await patients.findOne({ _id })).toMatchObject({
      givenName: undefined,
      familyName: undefined,
      birthDate: undefined,
    });
    expect(Object.keys(await stored(_id)).sort()).toEqual([
      '_id',
      'createdAt',
      'dataKey',
      'features',
      'mrn',
      'mrnIndex',
      'organization',
      'sex',
      'updatedAt',
      'version',
    ]);
  });

  test('are refused when the MRN is taken, by insert and by update', async () => {
    const { patients } = await records();
    const [first, second] = [await patients.insert(somePatient()), await patients.insert(somePatient())];
    for (const attempt of [
      () => patients.insert(somePatient({ mrn: first.mrn })),
      () => patients.update(second, { mrn: first.mrn, version: 2 }),
    ]) {
      expect(await attempt().catch((error: unknown) => isDuplicateKey(error))).toBe(true);
    }
    expect(await patients.insertNew([somePatient({ mrn: first.mrn }), somePatient(), somePatient()])).toBe(2);
  });

  test('change in given fields, lose fields given as null, and keep absent fields', async () => {
    const { patients, stored } = await records();
    const { _id } = await patients.insert(somePatient());
    const before = await stored(_id);
    const changed = await patients.update((await patients.findOne({ _id }))!, {
      familyName: 'King',
      givenName: null,
      version: 2,
    });
    expect(changed).toMatchObject({ familyName: 'King', givenName: undefined, birthDate: '1915-12-10', version: 2 });
    expect(await patients.findOne({ familyName: 'Lovelace' })).toBeNull();
    expect(await patients.findOne({ familyName: 'king' })).toEqual(changed);
    await patients.update(changed!, { familyName: null, version: 3 });
    const after = await stored(_id);
    expect(after).not.toHaveProperty('familyName');
    expect(after).not.toHaveProperty('familyNameIndex');
    // Unchanged fields are encrypted again too, so that one key decrypts the whole document.
    expect(after.mrn).not.toEqual(before.mrn);
    expect(after.mrnIndex).toBe(before.mrnIndex);
  });

  test('are not overwritten when they changed after the read', async () => {
    const { patients } = await records();
    const read = await patients.insert(somePatient());
    await patients.update(read, { familyName: 'King', version: 2 });
    expect(await patients.update(read, { familyName: 'Byron', version: 2 })).toBeNull();
    expect((await patients.findOne({ _id: read._id }))!.familyName).toBe('King');
  });

  test('are decrypted part by part, each when it is used', async () => {
    const { patients, models } = await records();
    const { _id } = await patients.insert(somePatient());
    await models.patients.collection.updateOne(
      { _id },
      { $unset: { givenName: 1 }, $set: { birthDate: 'plain text' } },
    );
    const patient = (await patients.findOne({ _id }))!;
    expect(patient).toMatchObject({ familyName: 'Lovelace', givenName: undefined });
    expect(() => patient.birthDate).toThrow(/not a ciphertext/);
    // Even a broken part can be replaced, because the change does not read it.
    expect(await patients.update(patient, { birthDate: '1915-12-10', version: 2 })).toMatchObject({
      birthDate: '1915-12-10',
    });
  });

  test('are looked up through an index, without reading the whole collection', async () => {
    const { models, organization } = await records();
    const indexNames = async (filter: object): Promise<string[]> => {
      const { queryPlanner } = (await models.patients.collection.find(filter).explain('queryPlanner')) as {
        queryPlanner: { winningPlan: object };
      };
      return [...JSON.stringify(queryPlanner.winningPlan).matchAll(/"indexName":"([\w-]+)"/g)].map(([, name]) => name!);
    };
    expect(await indexNames({ $and: [{ organization }, { mrnIndex: 'x' }] })).toEqual(['organization_1_mrnIndex_1']);
    expect(await indexNames({ $and: [{ organization }, { familyNameIndex: 'x' }] })).toEqual([
      expect.stringMatching(/^organization_1_familyNameIndex_1_/),
    ]);
    expect(await indexNames({ organization, dataKey: { $in: [new Types.ObjectId()] } })).toEqual([
      'organization_1_dataKey_1__id_1',
    ]);
  });
});

test('other free text is encrypted, and decrypted only in its own place', async () => {
  const models = await testDatabase();
  const { scope } = await protectedProcess(models, master);
  const { protection } = scope(new Types.ObjectId());
  const [document, other] = [new Types.ObjectId(), new Types.ObjectId()];
  const { ciphertext, dataKey } = await protection.protect(
    document,
    'access_grants.reason',
    'seen in the emergency room',
  );
  const reveal = await protection.reader([dataKey]);
  expect(reveal(document, 'access_grants.reason', ciphertext)).toBe('seen in the emergency room');
  expect(() => reveal(other, 'access_grants.reason', ciphertext)).toThrow(CiphertextError);
  expect(() => reveal(document, 'access_grants.note', ciphertext)).toThrow(CiphertextError);
});
