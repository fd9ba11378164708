/** Covers src/scope/patient-cipher.ts, src/protection/field-cipher.ts, src/protection/key-wrap.ts. */
// Threat: an attacker has a copy of the whole database (a stolen backup or disk), but not the master key. The copy must
// not identify patients.

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { Role, type StoredPatient } from '../../models/index.js';
import {
  DeletePatientDocument,
  PatientDocument,
  PatientsDocument,
  UpdatePatientDocument,
} from '../../src/client/generated/graphql.js';
import { goldenFeatures, modelId } from '../support/heart-disease.js';
import { ended, patient, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const system = await startSystem();
const client = await system.client('CLINICIAN');
const token = await system.token('CLINICIAN');
const features = goldenFeatures(0).filter(({ code }) => code !== 'age');

/** Texts that the API takes and that can identify a person. Each can be found anywhere in the database. */
const identity = { mrn: 'Canarymrn-1', givenName: 'Canarygiven', familyName: 'Canaryfamily', birthDate: '1951-07-23' };
const changed = { givenName: 'Canarychangedgiven', familyName: 'Canarychangedfamily', birthDate: '1949-11-05' };
const second = {
  mrn: 'Canarymrn-2',
  givenName: 'Canarysecondgiven',
  familyName: 'Canarysecondfamily',
  birthDate: '1938-02-17',
};
const deleted = {
  mrn: 'Canarymrn-3',
  givenName: 'Canarydeletedgiven',
  familyName: 'Canarydeletedfamily',
  birthDate: '1927-08-30',
};
const closed = {
  mrn: 'Canarymrn-5',
  givenName: 'Canaryclosedgiven',
  familyName: 'Canaryclosedfamily',
  birthDate: '1962-12-19',
};
const keys = ['Canarykey single', 'Canarykey batch'];
const reasons = ['Canaryreason of a colleague', 'Canaryreason for no patient'];
/** Texts that people type into the wrong field of a login. */
const typed = ['Canarytyped as a username', 'Canarytyped as a password'];
/** The address of a webhook may hold a secret of its receiver. */
const address = 'https://care.invalid/Canaryhook';
const markers = [identity, changed, second, deleted, closed]
  .flatMap((one) => Object.values(one))
  .concat(keys, reasons, typed, 'Canaryhook', 'whsec_');

/** Runs every operation that writes, including ones that fail. */
async function useTheApi(): Promise<void> {
  const create = async (input: object): Promise<string> => (await patient(client, { features, ...input })).id;
  const id = await create(identity);
  await create(second);
  await ended(client, (await submit(client, { patientId: id, idempotencyKey: keys[0] })).id);
  const filter = { mrn: identity.mrn, familyName: identity.familyName };
  await ended(client, (await submit(client, { filter, idempotencyKey: keys[1] })).id);
  await client.request(UpdatePatientDocument, { input: { id, expectedVersion: 1, ...changed } });
  const colleague = await system.app.accessTokens.sign(
    { username: 'colleague', role: Role.CLINICIAN, organizationId: await system.organizationId() },
    600,
  );
  const createClosed = 'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { id } }';
  const { data } = await system.post<{ createPatient: { id: string } }>(
    createClosed,
    { input: { ...closed, features, careTeam: ['colleague'] } },
    colleague,
  );
  const breakGlass = 'mutation ($input: BreakGlassInput!) { breakGlass(input: $input) { reason } }';
  const opened = await system.post(
    breakGlass,
    { input: { patientId: data!.createPatient.id, reason: reasons[0] } },
    token,
  );
  expect(opened.data).toEqual({ breakGlass: { reason: reasons[0] } });
  await system.post(breakGlass, { input: { mrn: 'Canarymrn-6', reason: reasons[1] } }, token);
  const hook = await system.post(
    'mutation ($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) { secret } }',
    { input: { url: address, states: ['FAILED'] } },
    await system.token('SERVICE'),
  );
  expect(hook.data).toEqual({ createWebhookEndpoint: { secret: expect.stringMatching(/^whsec_/) } });
  await system.post('mutation ($input: LoginInput!) { login(input: $input) { accessToken } }', {
    input: { organization: 'alpha', username: typed[0], password: typed[1] },
  });
  await system.post(
    /* GraphQL */ `
      {
        simulateRisk(input: {modelId: "${modelId}", patientId: "${id}"}) {
          probability
        }
        patient(mrn: "Canarymrn-7") {
          id
        }
      }
    `,
    undefined,
    token,
  );
  const gone = await create(deleted);
  await client.request(DeletePatientDocument, { id: gone });
  await client.request(PatientsDocument, { filter: { familyName: second.familyName } });
  const refused = 'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { id } }';
  await system.post(refused, { input: identity }, token);
  await system.post(refused, { input: { ...second, mrn: 'Canarymrn-4', sex: 'Canarysex' } }, token);
}

/** All stored data by its place: documents as bytes, the keys of every index, and the options of the collections. */
async function contents(): Promise<Map<string, Buffer>> {
  const db = system.app.database.db!;
  const found = new Map<string, Buffer>();
  for (const { name } of await db.listCollections().toArray()) {
    const collection = db.collection(name);
    found.set(name, Buffer.concat((await collection.find({}, { raw: true }).toArray()) as unknown as Buffer[]));
    for (const index of await collection.listIndexes().toArray()) {
      const entries = (await collection
        .find({}, { raw: true, returnKey: true })
        .hint(index.name as string)
        .toArray()) as unknown as Buffer[];
      found.set(
        `${name}, index ${index.name as string}`,
        Buffer.concat([Buffer.from(JSON.stringify(index)), ...entries]),
      );
    }
  }
  found.set('list of collections', Buffer.from(JSON.stringify(await db.listCollections().toArray())));
  return found;
}

/** Forms in which a text may be stored: plain, in other cases and encodings, and as a hash without a key. */
function traces(text: string): Buffer[] {
  const words = [text, text.toLowerCase(), text.toUpperCase(), text.normalize('NFKC').toLowerCase()];
  return words.flatMap((word) => {
    const bytes = Buffer.from(word);
    const hashes = ['sha256', 'sha1', 'md5'].map((algorithm) => createHash(algorithm).update(word).digest());
    return [
      bytes,
      Buffer.from(word, 'utf16le'),
      Buffer.from(bytes.toString('hex')),
      Buffer.from(bytes.toString('base64').replace(/.{0,2}=*$/, '')),
      ...hashes,
      ...hashes.flatMap((hash) =>
        [hash.toString('hex'), hash.toString('base64'), hash.toString('base64url')].map((encoded) =>
          Buffer.from(encoded),
        ),
      ),
    ];
  });
}

const placesOf = (stored: Map<string, Buffer>, text: string): string[] =>
  [...stored].flatMap(([place, bytes]) => (traces(text).some((trace) => bytes.includes(trace)) ? [place] : []));

// Shows: 164.312(a)(2)(iv)
test('a copy of the database holds no name, MRN, birth date or idempotency key, in documents or indexes', async () => {
  await useTheApi();
  const stored = await contents();
  // This shows that the search can find a stored text.
  expect(placesOf(stored, 'cholesterol')).toContain('patients');
  expect(placesOf(stored, 'alpha')).toEqual(expect.arrayContaining(['organizations', 'organizations, index slug_1']));
  expect([...stored.keys()]).toEqual(
    expect.arrayContaining(['patients, index organization_1_mrnIndex_1', 'scoring_jobs', 'predictions', 'data_keys']),
  );
  expect(await system.app.models.scoringJobs.countDocuments({ idempotencyKeyIndex: { $exists: true } })).toBe(2);
  for (const marker of markers) expect(placesOf(stored, marker), marker).toEqual([]);
  // No canary is stored in another form either, e.g. with a refused request.
  expect(placesOf(stored, 'Canary')).toEqual([]);
  // Callers with the permission still get all of it.
  expect((await client.request(PatientDocument, { mrn: identity.mrn })).patient).toMatchObject({
    mrn: identity.mrn,
    ...changed,
  });
  expect((await client.request(PatientDocument, { mrn: second.mrn })).patient).toMatchObject(second);
});

// Shows: 164.312(a)(2)(iv)
test('the keys in a copy are useless: each is wrapped with a master key that the copy lacks', async () => {
  const stored = Buffer.concat([...(await contents()).values()]);
  for (const { key } of system.app.config.masterKeys) {
    const bytes = key.export();
    for (const form of [bytes, bytes.toString('hex'), bytes.toString('base64'), bytes.toString('base64url')])
      expect(stored.includes(form)).toBe(false);
  }
  expect(stored.includes(system.app.config.secretKey!)).toBe(false);
});

test('a copy does not show which patients share a given name or a birth date', async () => {
  const same = { givenName: 'Canarytwin', birthDate: '1960-01-01' };
  const ids: string[] = [];
  for (const mrn of ['Canarymrn-8', 'Canarymrn-9'])
    ids.push((await patient(client, { mrn, features: [], ...same })).id);
  const [one, other] = await system.app.models.patients.find({ _id: { $in: ids } }).lean<StoredPatient[]>();
  for (const field of ['givenName', 'birthDate'] as const) {
    expect(one![field]!.length()).toBeGreaterThan(41);
    expect(Buffer.from(one![field]!.value()).equals(other![field]!.value())).toBe(false);
  }
});
