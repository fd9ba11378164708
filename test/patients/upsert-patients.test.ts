import mongoose from 'mongoose';
import { expect, onTestFinished, test, vi } from 'vitest';
import { mostUpserts } from '../../src/patients/upsert-patients.js';
import { identifierText } from '../../src/process/visible-text.js';
import { careTeams } from '../support/care-team.js';
import { newPatient } from '../support/heart-disease.js';
import { codesOf, startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const { models } = system.app;
const { clinician, breakGlass } = careTeams(system);
const [ada, bob] = await Promise.all([clinician('ada'), clinician('bob')]);

interface Result {
  readonly outcome: string;
  readonly patient: null | {
    readonly id: string;
    readonly mrn: string;
    readonly familyName: string | null;
    readonly sex: string;
    readonly version: number;
    readonly features: readonly { readonly code: string; readonly value: number }[];
  };
  readonly error: null | { readonly code: string; readonly fields: readonly { readonly path: string }[] };
}

const document = /* GraphQL */ `
  mutation ($inputs: [UpsertPatientInput!]!) {
    upsertPatients(inputs: $inputs) {
      outcome
      patient {
        id
        mrn
        familyName
        sex
        version
        features {
          code
          value
        }
      }
      error {
        code
        message
        fields {
          path
          message
        }
      }
    }
  }
`;
const post = (inputs: readonly object[], token = ada) =>
  system.post<{ upsertPatients: Result[] }>(document, { inputs }, token);
const upsert = async (inputs: readonly object[], token = ada): Promise<Result[]> => {
  const { data, errors } = await post(inputs, token);
  if (!data) throw new Error(JSON.stringify(errors));
  return data.upsertPatients;
};
const outcomes = (results: readonly Result[]): string[] => results.map(({ outcome }) => outcome);
const eventsOf = async (work: () => Promise<unknown>) => {
  const before = await models.auditEvents.countDocuments({});
  await work();
  return models.auditEvents.find({}).sort({ sequence: 1 }).skip(before).lean();
};

test('patients are created, changed and left as they are, with one result each in the order of the inputs', async () => {
  const [first, second, third] = [newPatient({ familyName: 'One' }), newPatient({ sex: 'MALE' }), newPatient()];
  expect(outcomes(await upsert([first, second]))).toEqual(['CREATED', 'CREATED']);
  const again = await upsert([
    { mrn: first.mrn },
    third,
    { mrn: second.mrn, familyName: 'Two', sex: null, features: [{ code: 'cholesterol', value: 301 }] },
  ]);
  expect(outcomes(again)).toEqual(['UNCHANGED', 'CREATED', 'UPDATED']);
  expect(again.map(({ patient }) => patient!.mrn)).toEqual([first.mrn, third.mrn, second.mrn]);
  expect(again[2]!.patient).toMatchObject({ familyName: 'Two', sex: 'UNKNOWN', version: 2 });
  const values = new Map(again[2]!.patient!.features.map(({ code, value }) => [code, value]));
  expect(values.size).toBe(second.features.length);
  expect(values.get('cholesterol')).toBe(301);
  const cleared = await upsert([
    { mrn: second.mrn, familyName: null, features: [{ code: 'cholesterol', value: null }] },
  ]);
  expect(cleared[0]!.patient).toMatchObject({ familyName: null, version: 3 });
  expect(cleared[0]!.patient!.features.map(({ code }) => code)).not.toContain('cholesterol');
});

test('the same call twice changes nothing the second time, not even a version or a time', async () => {
  const inputs = Array.from({ length: 20 }, () => newPatient({ familyName: 'Twice', birthDate: '1950-01-02' }));
  await upsert(inputs);
  const stored = await models.patients.find({}).sort({ _id: 1 }).lean();
  expect(new Set(outcomes(await upsert(inputs)))).toEqual(new Set(['UNCHANGED']));
  expect(await models.patients.find({}).sort({ _id: 1 }).lean()).toEqual(stored);
});

test('another spelling of an MRN names the same patient', async () => {
  const { mrn } = newPatient();
  const [created] = await upsert([{ mrn: `${mrn}-A` }]);
  const [updated] = await upsert([{ mrn: ` ${mrn}\u2010\uff21 `, familyName: 'Same' }]);
  expect(identifierText(`${mrn}\u2010\uff21`)).toBe(`${mrn}-A`);
  expect(updated).toMatchObject({ outcome: 'UPDATED', patient: { id: created!.patient!.id } });
});

test('a refused input has all its issues at once, and does not stop the others', async () => {
  const before = await models.patients.countDocuments({});
  const valid = newPatient();
  const results = await upsert([
    {
      mrn: ' ',
      familyName: '',
      birthDate: '1956-02-30',
      careTeam: ['nobody-here'],
      features: [
        { code: 'cholesterol', value: -5 },
        { code: 'unheard-of', value: 1 },
      ],
    },
    valid,
    { mrn: valid.mrn, familyName: 'Repeated' },
  ]);
  expect(outcomes(results)).toEqual(['REFUSED', 'CREATED', 'REFUSED']);
  expect(results[0]!.error!.code).toBe('BAD_USER_INPUT');
  expect(results[0]!.error!.fields.map(({ path }) => path).sort()).toEqual([
    'inputs[0].birthDate',
    'inputs[0].careTeam',
    'inputs[0].careTeam[0]',
    'inputs[0].familyName',
    'inputs[0].features[0].value',
    'inputs[0].features[1].code',
    'inputs[0].mrn',
  ]);
  expect(results[2]!.error!.fields).toEqual([
    { path: 'inputs[2].mrn', message: 'is the same MRN as in inputs[1]: give each patient once' },
  ]);
  expect(await models.patients.countDocuments({})).toBe(before + 1);
});

test('a call of no patients or of more than 1,000 is refused, and changes nothing', async () => {
  const before = await system.counts();
  for (const inputs of [[], Array.from({ length: mostUpserts + 1 }, () => newPatient({ features: [] }))])
    expect(codesOf(await post(inputs))[0]).toMatch(/BAD_USER_INPUT|QUERY_TOO_COMPLEX/);
  expect(await system.counts()).toEqual(before);
});

test('1,000 patients are written by one bulk, and recorded by one event', async () => {
  const { Collection } = mongoose.mongo;
  const spies = (['bulkWrite', 'insertOne', 'findOneAndUpdate', 'updateOne'] as const).map((name) =>
    vi.spyOn(Collection.prototype, name),
  );
  onTestFinished(() => spies.forEach((spy) => spy.mockRestore()));
  const inputs = Array.from({ length: 1_000 }, () => newPatient());
  const events = await eventsOf(async () => {
    expect(new Set(outcomes(await upsert(inputs)))).toEqual(new Set(['CREATED']));
  });
  const writes = spies.flatMap(({ mock }) =>
    mock.contexts.filter((context) => (context as mongoose.mongo.Collection).collectionName === 'patients'),
  );
  expect(writes).toHaveLength(1);
  expect(events).toMatchObject([{ action: 'patient:write', outcome: 'ALLOWED', flagged: false }]);
  expect(events[0]!.patients).toHaveLength(1_000);
});

test('callers who send the same new patients at once make each of them once, with the values of all', async () => {
  const people = Array.from({ length: 30 }, () => newPatient({ features: [] }));
  const codes = ['cholesterol', 'resting_bp'].filter((code) => system.app.catalogue.get(code));
  const calls = [...codes, ...codes].map((code) =>
    upsert(people.map(({ mrn }) => ({ mrn, features: [{ code, value: 150 }] }))),
  );
  const results = (await Promise.all(calls)).flat();
  const written = results.filter(({ outcome }) => outcome !== 'REFUSED');
  expect(results.filter(({ outcome }) => outcome === 'CREATED')).toHaveLength(people.length);
  expect(new Set(written.map(({ patient }) => patient!.id)).size).toBe(people.length);
  for (const { error } of results) expect([undefined, 'CONFLICT']).toContain(error?.code);
});

test('a patient closed to the caller is refused and recorded; the others are written', async () => {
  const closed = newPatient({ careTeam: ['ada'] });
  await upsert([closed]);
  const open = newPatient();
  let results: Result[] = [];
  const events = await eventsOf(async () => {
    results = await upsert([{ mrn: closed.mrn, familyName: 'Taken' }, open], bob);
  });
  expect(results).toMatchObject([{ outcome: 'REFUSED', error: { code: 'FORBIDDEN' } }, { outcome: 'CREATED' }]);
  const [stored] = await upsert([{ mrn: closed.mrn }]);
  expect(stored!.patient!.familyName).toBeNull();
  expect(events).toMatchObject([
    { action: 'patient:write', outcome: 'DENIED', username: 'bob' },
    { action: 'patient:write', outcome: 'ALLOWED', username: 'bob' },
  ]);
  expect(events[0]!.patients.map(String)).toEqual([stored!.patient!.id]);
});

test('emergency access adds values, changes no identity, and is flagged', async () => {
  const [named, measured] = [newPatient({ careTeam: ['ada'] }), newPatient({ careTeam: ['ada'] })];
  for (const { patient } of await upsert([named, measured])) await breakGlass(`patientId: "${patient!.id}"`, bob);
  const events = await eventsOf(async () => {
    const results = await upsert(
      [
        { mrn: named.mrn, familyName: 'Renamed' },
        { mrn: measured.mrn, features: [{ code: 'cholesterol', value: 302 }] },
      ],
      bob,
    );
    expect(results).toMatchObject([{ outcome: 'REFUSED', error: { code: 'FORBIDDEN' } }, { outcome: 'UPDATED' }]);
  });
  expect(events.map(({ outcome, flagged }) => [outcome, flagged])).toEqual([
    ['DENIED', true],
    ['ALLOWED', true],
  ]);
});

test('unchanged patients that are shown are recorded as read', async () => {
  const known = newPatient();
  const [created] = await upsert([known]);
  const events = await eventsOf(() => upsert([known]));
  expect(events).toMatchObject([{ action: 'patient:read', outcome: 'ALLOWED' }]);
  expect(events[0]!.patients.map(String)).toEqual([created!.patient!.id]);
});
