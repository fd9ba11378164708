/** Covers src/scope/search-tokens.ts, src/patients/prefix-search.ts. */
// Threat: an attacker with a copy of the database reads names and MRNs out of the tokens by which patients are found by
// their first characters.

import { createHash, createHmac } from 'node:crypto';
import { Types } from 'mongoose';
import { beforeAll, describe, expect, test } from 'vitest';
import type { StoredPatient } from '../../models/index.js';
import { requestRotations } from '../../src/protection/request-rotations.js';
import { prefixLengths } from '../../src/scope/search-tokens.js';
import { patient } from '../support/scenario.js';
import { codesOf, startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const { models, prefixSearch } = system.app;
const alpha = await system.client('CLINICIAN', 'alpha');
const beta = await system.client('CLINICIAN', 'beta');
const token = await system.token('CLINICIAN', 'alpha');
const organization = new Types.ObjectId(await system.organizationId('alpha'));
const longest = 11 + 9;

const storedOf = async (slug: string): Promise<StoredPatient[]> =>
  models.patients.find({ organization: await system.organizationId(slug) }).lean<StoredPatient[]>();
const switchTo = async (on: boolean, slug = 'alpha'): Promise<void> => {
  await prefixSearch.switch(new Types.ObjectId(await system.organizationId(slug)), on, 0);
  while (!(await prefixSearch.work()));
};
const search = (filter: object, by = token) =>
  system.post<{ patients: { edges: { node: { mrn: string } }[]; totalCount: number } }>(
    `query ($filter: PatientFilter) { patients(filter: $filter) { edges { node { mrn } } totalCount } }`,
    { filter },
    by,
  );
const found = async (filter: object): Promise<string[]> => {
  const { data, errors } = await search(filter);
  if (!data) throw new Error(JSON.stringify(errors));
  expect(data.patients.totalCount).toBe(data.patients.edges.length);
  return data.patients.edges.map(({ node }) => node.mrn).sort();
};

beforeAll(async () => {
  for (const client of [alpha, beta]) {
    await patient(client, { mrn: 'KH-2026-001', familyName: 'Canaryberg', features: [] });
    await patient(client, { mrn: 'KH-2026-002', familyName: 'CANARYmann', features: [] });
    await patient(client, { mrn: 'ZZ-1', familyName: 'Mu\u0308ller', features: [] });
    await patient(client, { mrn: 'X', features: [] });
  }
});

describe('while prefix search is off, which is the default', () => {
  // Shows: 164.312(a)(2)(iv)
  test('nothing is stored for it, and a search by a prefix is refused with the remedy', async () => {
    for (const { searchTokens } of await storedOf('alpha')) expect(searchTokens).toBeUndefined();
    for (const filter of [{ mrnPrefix: 'KH' }, { familyNamePrefix: 'Canary' }]) {
      const answer = await search(filter);
      expect(answer.errors![0]!.extensions).toMatchObject({
        code: 'BAD_USER_INPUT',
        fields: [{ path: `filter.${Object.keys(filter)[0]!}` }],
      });
    }
  });
});

describe('while prefix search is on', () => {
  beforeAll(async () => {
    await switchTo(true);
    await switchTo(true, 'beta');
  });

  test('patients of before the switch and of after it are found by their first characters', async () => {
    await patient(alpha, { mrn: 'KH-2027-001', familyName: 'canaryn', features: [] });
    expect(await found({ mrnPrefix: 'KH-2026' })).toEqual(['KH-2026-001', 'KH-2026-002']);
    expect(await found({ mrnPrefix: ' \uff2b\uff28\u20102027 ' })).toEqual(['KH-2027-001']);
    expect(await found({ familyNamePrefix: 'cAnArY' })).toEqual(['KH-2026-001', 'KH-2026-002', 'KH-2027-001']);
    const both = await search({ familyNamePrefix: 'canary', mrnPrefix: 'KH-2027' });
    expect(both.errors![0]!.extensions).toMatchObject({ fields: [{ path: 'filter.familyNamePrefix' }] });
    expect(await found({ familyNamePrefix: 'm\u00fcl' })).toEqual(['ZZ-1']);
    expect(await found({ familyNamePrefix: 'canaryx' })).toEqual([]);
    expect(await found({ familyNamePrefix: 'Canarymann'.slice(0, 10) })).toEqual(['KH-2026-002']);
  });

  test('a change of name or MRN moves the patient, and a cleared name is not found', async () => {
    const { id } = await patient(alpha, { mrn: 'KH-9', familyName: 'Beforename', features: [] });
    const update = (input: object) =>
      system.post('mutation ($input: UpdatePatientInput!) { updatePatient(input: $input) { id } }', { input }, token);
    await update({ id, expectedVersion: 1, familyName: 'Aftername', mrn: 'LH-9' });
    expect(await found({ familyNamePrefix: 'before' })).toEqual([]);
    expect(await found({ familyNamePrefix: 'after' })).toEqual(['LH-9']);
    expect(await found({ mrnPrefix: 'KH-9' })).toEqual([]);
    expect(await found({ mrnPrefix: 'LH' })).toEqual(['LH-9']);
    await update({ id, expectedVersion: 2, familyName: null });
    expect(await found({ familyNamePrefix: 'after' })).toEqual([]);
    await system.post(`mutation { deletePatient(id: "${id}") { id } }`, undefined, token);
  });

  test.each([
    ['one character', { familyNamePrefix: 'c' }],
    ['more characters than are indexed', { familyNamePrefix: 'canaryxxxxxx' }],
    ['one character of an MRN', { mrnPrefix: ' K ' }],
    ['a long text', { mrnPrefix: 'K'.repeat(10_000) }],
  ])('%s is refused', async (_name, filter) => {
    expect(codesOf(await search(filter))).toEqual(['BAD_USER_INPUT']);
  });

  test('only a caller who may see names can search by them, and a search that finds nothing is recorded', async () => {
    expect(codesOf(await search({ familyNamePrefix: 'canary' }, await system.token('ANALYST')))).toEqual(['FORBIDDEN']);
    const before = await models.auditEvents.countDocuments({ organization });
    await found({ familyNamePrefix: 'unknown' });
    const events = await models.auditEvents.find({ organization }).sort({ sequence: 1 }).skip(before).lean();
    expect(events).toMatchObject([{ action: 'patient:read', outcome: 'ALLOWED', patients: [] }]);
  });

  // Shows: 164.312(a)(2)(iv)
  test('a copy of the database holds no prefix, nor a hash that can be computed from what is in it', async () => {
    const keys = await models.dataKeys.find().lean();
    const stored = await storedOf('alpha');
    const known = [
      organization.id,
      Buffer.from('alpha'),
      Buffer.alloc(32),
      ...stored.map(({ _id }) => _id.id),
      ...keys.flatMap(({ _id, wrappedKey, masterKey }) => [_id.id, wrappedKey.value(), Buffer.from(masterKey)]),
    ];
    const prefixes = ['canary', 'CANARY', 'Canary', 'ca', 'KH-2026', 'kh-2026', 'KH'];
    const tokens = new Set(stored.flatMap(({ searchTokens }) => searchTokens!));
    for (const prefix of prefixes)
      for (const text of [prefix, `${prefix.length}:${prefix}`].flatMap((one) => [
        one,
        `patients.mrnPrefix\0${one}`,
        `patients.familyNamePrefix\0${one}`,
      ])) {
        const hashes = [
          createHash('sha256').update(text).digest('base64url'),
          ...known.map((key) => createHmac('sha256', key).update(text).digest('base64url')),
        ];
        for (const hash of hashes) expect(tokens.has(hash.slice(0, 16))).toBe(false);
      }
    const raw = Buffer.concat(
      (await models.patients.collection.find({}, { raw: true }).toArray()) as unknown as Buffer[],
    ).toString('latin1');
    expect(raw.toLowerCase()).not.toContain('canary');
    expect(raw).not.toContain('KH-20');
  });

  // Shows: 164.312(a)(2)(iv)
  test('tokens are few, in an order that tells no length, and unrelated in two organizations', async () => {
    const [ours, theirs] = [await storedOf('alpha'), await storedOf('beta')];
    const all = (patients: readonly StoredPatient[]): string[] => patients.flatMap(({ searchTokens }) => searchTokens!);
    for (const { searchTokens } of ours) {
      expect(searchTokens!.length).toBeLessThanOrEqual(longest);
      expect(searchTokens).toEqual([...searchTokens!].sort());
      expect(new Set(searchTokens).size).toBe(searchTokens!.length);
      for (const one of searchTokens!) expect(one).toMatch(/^[\w-]{16}$/);
    }
    const others = new Set(all(theirs));
    expect(all(ours).filter((one) => others.has(one))).toEqual([]);
    const bounds = Object.values(prefixLengths).map((bound) => bound.longest - bound.shortest + 1);
    expect(bounds.reduce((sum, count) => sum + count)).toBe(longest);
  });

  test('the copy does tell how many patients share their first characters: this is the price of the search', async () => {
    const [one, other] = await models.patients.find({ organization }).sort({ _id: 1 }).limit(2).lean<StoredPatient[]>();
    const shared = one!.searchTokens!.filter((token) => other!.searchTokens!.includes(token));
    // The names share "canary", of 2 to 6 characters, and the MRNs "KH-2026-00", of 2 to 10.
    expect(shared).toHaveLength(5 + 9);
  });

  test('a rotation of the data keys keeps the tokens, and every patient is still found', async () => {
    const before = await storedOf('alpha');
    await requestRotations(models, system.app.config.masterKeys[0]!.id, [organization]);
    while (await system.app.keyRotations.work());
    const after = await storedOf('alpha');
    expect(after.map(({ searchTokens }) => searchTokens)).toEqual(before.map(({ searchTokens }) => searchTokens));
    expect(await found({ mrnPrefix: 'KH-2026' })).toEqual(['KH-2026-001', 'KH-2026-002']);
  });
});

describe('after prefix search was switched off again', () => {
  // Shows: 164.312(a)(2)(iv)
  test('nothing of it is left, and new patients get no tokens; another organization keeps its own', async () => {
    await switchTo(false);
    await patient(alpha, { mrn: 'KH-2028-001', familyName: 'Canarylast', features: [] });
    for (const { searchTokens } of await storedOf('alpha')) expect(searchTokens).toBeUndefined();
    expect((await storedOf('beta')).every(({ searchTokens }) => searchTokens !== undefined)).toBe(true);
    expect(codesOf(await search({ mrnPrefix: 'KH' }))).toEqual(['BAD_USER_INPUT']);
  });

  test('and on again, the search waits for the end of its preparation and tells its progress', async () => {
    await prefixSearch.switch(organization, true);
    await prefixSearch.work();
    const { errors } = await search({ mrnPrefix: 'KH-2028' });
    expect(errors![0]!.extensions!.code).toBe('SERVICE_UNAVAILABLE');
    expect(errors![0]!.message).toContain('(0 of ');
    await switchTo(true);
    expect(await found({ mrnPrefix: 'KH-2028' })).toEqual(['KH-2028-001']);
  });
});
