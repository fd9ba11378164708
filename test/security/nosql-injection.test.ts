/** Covers src/scope/organization-scope.ts, src/patients/patient-rows.ts, src/input.ts. */
// Threat: a client sends operators of MongoDB, prototypes or code in place of a value.

import { beforeAll, describe, expect, test } from 'vitest';
import { buildBareSchema } from '../../schema/build-schema.js';
import { argumentPlaces, type ArgumentPlace } from '../support/argument-walk.js';
import { modelId } from '../support/heart-disease.js';
import { scored } from '../support/scenario.js';
import { codesOf, postBody, startSystem } from '../support/system.js';
import { codesOfReply, transports } from '../support/transports.js';

const system = await startSystem();
const tokens = [await system.token('CLINICIAN'), await system.token('ADMIN')];
const client = await system.client('CLINICIAN');

// One object of each kind that an injection could find or change.
const { patientId, mrn, jobId, predictionId } = await scored(client, { givenName: 'Ada', familyName: 'Findable' });
const findable = [patientId, mrn, 'Findable', jobId, predictionId];

/** JSON values: query operators, and objects that Mongoose or JavaScript might not treat as data. */
const values: Record<string, unknown> = {
  $gt: { $gt: '' },
  $ne: { $ne: null },
  $in: { $in: [patientId, mrn] },
  $regex: { $regex: '.*', $options: 's' },
  $exists: { $exists: true },
  $where: { $where: 'sleep(1000) || true' },
  $expr: { $expr: { $eq: [1, 1] } },
  $function: { $function: { body: 'return true', args: [], lang: 'js' } },
  $or: [{ $or: [{}, { _id: { $exists: true } }] }],
  '$set in an update': { $set: { organization: 'aaaaaaaaaaaaaaaaaaaaaaaa' } },
  'a pipeline': [{ $match: {} }, { $out: 'patients' }],
  __proto__: JSON.parse('{ "__proto__": { "$gt": "" } }'),
  'constructor.prototype': { constructor: { prototype: { $gt: '' } } },
  'an ObjectId in extended JSON': { $oid: patientId },
  'a BSON type': { _bsontype: 'ObjectId', id: patientId },
  'the id in a list': [patientId],
};
/** Texts that a program might parse, evaluate, or use as a path or a projection. */
const texts: Record<string, string> = {
  'an operator as JSON': '{"$gt":""}',
  'the name of an operator': '$where',
  'a JavaScript expression': "'; return true; var x='",
  'a pattern': '.*',
  'a pattern with anchors': '^.{0,99}$',
  'a path to a field': '$mrn',
  'a path of aggregation': '$$ROOT.organization',
  'a projection': '+mrn -_id familyName',
  'a path through a document': 'features.0.value',
  'a prototype': '__proto__',
  'a NUL': `${mrn}\0`,
  'brackets of a query string': '[$ne]=',
};

const schema = buildBareSchema(system.app);
const places = argumentPlaces(schema, {
  arguments: {
    patient: { id: `"${patientId}"` },
    scoringJob: { id: `"${jobId}"` },
    prediction: { id: `"${predictionId}"` },
    scoringJobUpdated: { id: `"${jobId}"` },
  },
  types: {
    ID: '"aaaaaaaaaaaaaaaaaaaaaaaa"',
    String: '"unknown"',
    Int: '1',
    Float: '0.5',
    Boolean: 'true',
    SimulateRiskInput: `{ modelId: "${modelId}", patientId: "${patientId}" }`,
    PatientOrderField: 'CREATED_AT',
    // The last test covers the texts of a new patient, which are stored unchanged. This input is refused.
    CreatePatientInput: '{ mrn: "" }',
    UpdatePatientInput: '{ id: "aaaaaaaaaaaaaaaaaaaaaaaa", expectedVersion: 1 }',
    SubmitScoringJobInput: `{ modelId: "${modelId}", patientId: "aaaaaaaaaaaaaaaaaaaaaaaa" }`,
    SubmitBatchScoringJobInput: `{ modelId: "${modelId}" }`,
  },
});

let before: unknown;
const everything = async (): Promise<unknown> => ({
  counts: await system.counts(),
  documents: [
    await system.app.models.patients.find().lean(),
    await system.app.models.predictions.find().lean(),
    await system.app.models.scoringJobs.find().lean(),
  ],
});
beforeAll(async () => {
  before = await everything();
});

// Shows: owasp/injection
test('every filter, every order and every scalar argument of the schema is among the places', () => {
  const names = places.map(({ name }) => name);
  for (const expected of [
    'Query.patient(mrn)',
    'Query.patients(filter.familyName)',
    'Query.patients(orderBy.field)',
    'Query.predictions(filter.riskBands[])',
    'Query.scoringJobs(filter.states[])',
    'Patient.predictions(after)',
    'ScoringJob.failures(first)',
    'Explanation.contributions(top)',
    'Mutation.updatePatient(input.features[].value)',
    'Mutation.submitBatchScoringJob(input.filter.mrn)',
    'Subscription.scoringJobUpdated(after)',
  ]) {
    expect(names).toContain(expected);
  }
  const fieldsWithArguments = Object.values(schema.getTypeMap()).flatMap((type) =>
    'getFields' in type && !type.name.startsWith('__')
      ? Object.values(type.getFields()).flatMap((field) =>
          'args' in field && field.args.length > 0 ? [`${type.name}.${field.name}`] : [],
        )
      : [],
  );
  expect(new Set(names.map((name) => name.split('(')[0]))).toEqual(new Set(fieldsWithArguments));
});

describe.each(places.map((place) => [place.name, place] as const))('%s', (_name, place) => {
  // Shows: 164.312(c)(1), owasp/injection
  test('refuses operators, prototypes and code, or finds nothing, and changes nothing', async () => {
    for (const [name, value] of Object.entries(values)) await tryOut(place, name, place.write('$value'), { value });
    for (const [name, text] of Object.entries(texts)) {
      if (storesText(place) || followsAnyText(place)) continue;
      await tryOut(place, name, place.write('$value'), { value: text });
      await tryOut(place, `${name}, written out`, place.write(JSON.stringify(text)));
    }
    expect(await everything()).toEqual(before);
  });
});

/** Tells whether any text is valid in this place, as a name or a password. */
const storesText = ({ name }: ArgumentPlace): boolean =>
  /^Mutation\.(?:(?:createPatient\(input|upsertPatients\(inputs\[\])\.(?:mrn|givenName|familyName)|createUser\(input\.(?:username|password)|createApiKey\(input\.name)\)$/.test(
    name,
  );

/** Tells whether any text begins a stream here, which has no answer then. The same filter is tried with scoringJobs. */
const followsAnyText = ({ name }: ArgumentPlace): boolean =>
  /^Subscription\.scoringJobsUpdated\(filter\.(?:modelId|submittedBy)\)$/.test(name);

async function tryOut(place: ArgumentPlace, name: string, query: string, variables?: object): Promise<void> {
  const [, send] = transports.find(
    ([transport]) => transport === (place.kind === 'subscription' ? 'WebSocket' : 'HTTP'),
  )!;
  for (const token of tokens) {
    const { errors, text } = await send(system, { query, variables }, token);
    const about = `${name} in ${query}: ${text}`;
    for (const code of codesOfReply({ errors, text }))
      expect(
        [
          'BAD_USER_INPUT',
          'NOT_FOUND',
          'FORBIDDEN',
          'UNAUTHENTICATED',
          'INVALID_CREDENTIALS',
          'CONFLICT',
          'QUERY_TOO_COMPLEX',
          'RATE_LIMITED',
        ],
        about,
      ).toContain(code);
    for (const secret of findable) expect(text, about).not.toContain(secret);
  }
}

describe('as a whole', () => {
  const query = 'query ($filter: PatientFilter) { patients(filter: $filter) { totalCount edges { node { id mrn } } } }';

  // Shows: owasp/injection
  test.each(Object.entries(values))('a filter that is %s is refused', async (_name, filter) => {
    const answer = await system.post(query, { filter }, tokens[0]);
    expect(new Set(codesOf(answer)), answer.text).toEqual(new Set(['BAD_USER_INPUT']));
  });

  // Shows: owasp/injection
  test('variables with a prototype of their own change no object of the server', async () => {
    const poisoned = `{"query":${JSON.stringify(query)},"variables":{"filter":{"mrn":"x"},"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}`;
    const answer = await postBody(system.url, poisoned, tokens[0]);
    expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    const extended = await postBody(
      system.url,
      `{"query":"{ viewer { role } }","extensions":{"__proto__":{"polluted":true}}}`,
      tokens[0],
    );
    expect(codesOf(extended)).toEqual(['BAD_USER_INPUT']);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

// Shows: owasp/allowed-values
test.each(Object.entries(texts).filter(([name]) => name !== 'a NUL'))(
  '%s is a valid name: it is stored and found unchanged, and finds no other patient',
  async (_name, text) => {
    const created = await system.post<{ createPatient: { id: string; mrn: string } }>(
      'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { id mrn familyName } }',
      { input: { mrn: text, familyName: text } },
      tokens[0],
    );
    expect(created.data).toMatchObject({ createPatient: { mrn: text, familyName: text } });
    const { id } = created.data!.createPatient;
    const found = await system.post(
      /* GraphQL */ `
        query ($text: String!) {
          patient(mrn: $text) {
            id
          }
          patients(filter: { mrn: $text, familyName: $text }) {
            totalCount
            edges {
              node {
                id
              }
            }
          }
        }
      `,
      { text },
      tokens[0],
    );
    expect(found.data).toEqual({ patient: { id }, patients: { totalCount: 1, edges: [{ node: { id } }] } });
    await system.post('mutation ($id: ID!) { deletePatient(id: $id) { id } }', { id }, tokens[0]);
  },
);
