import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { goldenFeatures, modelId } from '../support/heart-disease.js';
import { patient } from '../support/scenario.js';
import { codesOf, postBody, startSystem, type Answer } from '../support/system.js';

const system = await startSystem({ worker: false });
const token = await system.token('CLINICIAN');
const client = await system.client('CLINICIAN');

/** Stands where a name, a record number or a birth date would stand: no error may repeat it. */
const canary = 'Canary-4711';

const create = 'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { id } }';
const update = 'mutation ($input: UpdatePatientInput!) { updatePatient(input: $input) { id } }';
const submitOne = 'mutation ($input: SubmitScoringJobInput!) { submitScoringJob(input: $input) { id } }';
const submitBatch = 'mutation ($input: SubmitBatchScoringJobInput!) { submitBatchScoringJob(input: $input) { id } }';
const simulate = 'query ($input: SimulateRiskInput!) { simulateRisk(input: $input) { probability } }';

const someId = 'aaaaaaaaaaaaaaaaaaaaaaaa';
let patientId: string;
let before: Record<string, number>;

beforeAll(async () => {
  patientId = (await patient(client)).id;
  before = await system.counts();
});

afterEach(async () => {
  expect(await system.counts(), 'something was stored').toEqual(before);
});

function expectRefused(answer: Pick<Answer, 'text' | 'errors'>, path: string, message: RegExp): void {
  expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
  const [error] = answer.errors!;
  const field = error!.extensions!.fields!.find((one) => one.path === path);
  expect(field?.message, `${path} in ${answer.text}`).toMatch(message);
  expect(error!.message).toMatch(message);
  expect(answer.text).not.toContain(canary);
}

describe('values in variables', () => {
  test.each<[string, object, string, RegExp]>([
    [
      'a feature that no model has',
      { mrn: canary, features: [{ code: 'colesterol', value: 200 }] },
      'features[0].code',
      /no risk model served has a feature "colesterol"/,
    ],
    [
      'a code that is no code',
      { mrn: 'x', features: [{ code: `${canary} x`, value: 200 }] },
      'features[0].code',
      /\(not a code\)/,
    ],
    [
      'a value above its range',
      { mrn: canary, features: [{ code: 'cholesterol', value: 4711.5 }] },
      'features[0].value',
      /cholesterol must be between 50 and 1000 mg\/dL$/,
    ],
    [
      'a value in another unit',
      { mrn: canary, features: [{ code: 'resting_bp', value: 13.5 }] },
      'features[0].value',
      /resting_bp must be between 50 and 300 mm Hg$/,
    ],
    [
      'a value between two codes',
      { mrn: canary, features: [{ code: 'sex', value: 0.5 }] },
      'features[0].value',
      /sex must be 0 \(female\) or 1 \(male\)$/,
    ],
    [
      'half a count',
      { mrn: canary, features: [{ code: 'major_vessels', value: 1.5 }] },
      'features[0].value',
      /whole number, between 0 and 3/,
    ],
    [
      'a feature given twice',
      {
        mrn: canary,
        features: [
          { code: 'cholesterol', value: 200 },
          { code: 'cholesterol', value: 201 },
        ],
      },
      'features[1].code',
      /same feature as features\[0\]/,
    ],
    [
      'the second of two features',
      {
        mrn: canary,
        features: [
          { code: 'cholesterol', value: 200 },
          { code: 'age', value: 4711 },
        ],
      },
      'features[1].value',
      /age must be between 18 and 120 years/,
    ],
    [
      'a text for a number',
      { mrn: 'x', features: [{ code: 'cholesterol', value: canary }] },
      'features[0].value',
      /must be a finite number/,
    ],
    ['a number for a text', { mrn: 4711 }, 'mrn', /must be a text/],
    ['an object for a text', { mrn: { a: canary } }, 'mrn', /must be a text/],
    ['a text that is no date', { mrn: 'x', birthDate: canary }, 'birthDate', /must be a calendar date, YYYY-MM-DD/],
    [
      'a day that is in no calendar',
      { mrn: canary, birthDate: '2021-02-29' },
      'birthDate',
      /must be a calendar date, YYYY-MM-DD/,
    ],
    ['a birth date to come', { mrn: canary, birthDate: '2999-01-01' }, 'birthDate', /must not be in the future/],
    ['a birth date long ago', { mrn: canary, birthDate: '1066-10-14' }, 'birthDate', /must not be before 1850/],
    ['a sex that is none', { mrn: 'x', sex: canary }, 'sex', /must be a value of the enum AdministrativeGender/],
    ['no MRN', { givenName: canary }, 'mrn', /is required/],
    ['a feature without code', { mrn: canary, features: [{ value: 1 }] }, 'features[0].code', /is required/],
    [
      'a feature without value',
      { mrn: canary, features: [{ code: 'cholesterol' }] },
      'features[0].value',
      /must be a number, or null/,
    ],
    ['a blank MRN', { mrn: '  ', givenName: canary }, 'mrn', /must not be empty/],
    ['an MRN that is too long', { mrn: canary.repeat(10) }, 'mrn', /at most 64 characters/],
    ['a name that is too long', { mrn: 'x', familyName: canary.repeat(30) }, 'familyName', /at most 200 characters/],
    ['a name with a NUL', { mrn: 'x', givenName: `${canary}\0` }, 'givenName', /no control characters/],
    [
      'a field that there is not',
      { mrn: canary, nickname: canary },
      'nickname',
      /there is no field nickname in CreatePatientInput/,
    ],
  ])('createPatient refuses %s', async (_name, input, path, message) => {
    expectRefused(await system.post(create, { input }, token), path, message);
  });

  // Shows: owasp/specific-types
  test('every fault is named at once', async () => {
    const { errors } = await system.post(
      create,
      { input: { mrn: '', givenName: canary.repeat(30), birthDate: '1066-10-14' } },
      token,
    );
    expect(errors![0]!.extensions!.fields!.map(({ path }) => path)).toEqual(['mrn', 'givenName', 'birthDate']);
  });

  // Shows: owasp/specific-types
  test('Infinity, which JSON can write as 1e999, and NaN, which it cannot write', async () => {
    const body = (number: string): string =>
      `{"query":${JSON.stringify(create)},"variables":{"input":{"mrn":"${canary}","features":[{"code":"cholesterol","value":${number}}]}}}`;
    expectRefused(await postBody(system.url, body('1e999'), token), 'features[0].value', /must be a finite number/);
    expectRefused(await postBody(system.url, body('-1e999'), token), 'features[0].value', /must be a finite number/);
    expectRefused(await postBody(system.url, body('NaN'), token), 'body', /is not valid JSON/);
  });

  test.each<[string, string, () => object, string, RegExp]>([
    ['updatePatient', 'an MRN taken away', () => ({ id: patientId, expectedVersion: 1, mrn: null }), 'mrn', /not null/],
    [
      'updatePatient',
      'a version that can be none',
      () => ({ id: patientId, expectedVersion: 0 }),
      'expectedVersion',
      /at least 1/,
    ],
    ['updatePatient', 'no version', () => ({ id: patientId }), 'expectedVersion', /is required/],
    [
      'updatePatient',
      'a value out of range',
      () => ({ id: patientId, expectedVersion: 1, features: [{ code: 'age', value: 4711 }] }),
      'features[0].value',
      /between 18 and 120 years/,
    ],
    [
      'submitScoringJob',
      'a priority that there is not',
      () => ({ patientId, modelId, priority: 11 }),
      'priority',
      /from 0 to 10/,
    ],
    [
      'submitScoringJob',
      'an endless idempotency key',
      () => ({ patientId, modelId, idempotencyKey: 'k'.repeat(201) }),
      'idempotencyKey',
      /at most 200 characters/,
    ],
    [
      'submitScoringJob',
      'an empty idempotency key',
      () => ({ patientId, modelId, idempotencyKey: '' }),
      'idempotencyKey',
      /must not be empty/,
    ],
    [
      'submitBatchScoringJob',
      'no patients at all',
      () => ({ modelId }),
      'patientIds',
      /exactly one of patientIds, filter, or all: true/,
    ],
    [
      'submitBatchScoringJob',
      'two ways to name patients',
      () => ({ modelId, all: true, patientIds: [patientId] }),
      'patientIds',
      /exactly one of patientIds, filter, or all: true/,
    ],
    ['submitBatchScoringJob', 'an empty list', () => ({ modelId, patientIds: [] }), 'patientIds', /must not be empty/],
    [
      'submitBatchScoringJob',
      'patients that nobody knows',
      () => ({ modelId, patientIds: [patientId, someId, canary] }),
      'patientIds[2]',
      /was not found/,
    ],
    [
      'submitBatchScoringJob',
      'a filter that nobody meets',
      () => ({ modelId, filter: { mrn: canary } }),
      'filter',
      /matches no patient/,
    ],
    [
      'submitBatchScoringJob',
      'a name that nobody can have',
      () => ({ modelId, filter: { familyName: `${canary}\0` } }),
      'filter.familyName',
      /no control characters/,
    ],
    [
      'simulateRisk',
      'a feature that no model has',
      () => ({ modelId, features: [...goldenFeatures(0), { code: 'colesterol', value: 1 }] }),
      `features[${goldenFeatures(0).length}].code`,
      /no risk model served/,
    ],
    [
      'simulateRisk',
      'a value out of range',
      () => ({ modelId, features: [{ code: 'age', value: 4711 }] }),
      'features[0].value',
      /between 18 and 120 years/,
    ],
    [
      'simulateRisk',
      'required features that are missing',
      () => ({ modelId, features: [{ code: 'cholesterol', value: 200 }] }),
      'features.age',
      /is required, in years/,
    ],
  ])('%s refuses %s', async (operation, _name, input, path, message) => {
    const operations: Record<string, string> = {
      updatePatient: update,
      submitScoringJob: submitOne,
      submitBatchScoringJob: submitBatch,
      simulateRisk: simulate,
    };
    expectRefused(await system.post(operations[operation]!, { input: input() }, token), path, message);
  });
});

describe('values in the query itself', () => {
  test.each<[string, string, string, RegExp]>([
    [
      'Infinity',
      'mutation { createPatient(input: { mrn: "x", features: [{ code: "cholesterol", value: 1e999 }] }) { id } }',
      'features[0].value',
      /cholesterol must be a finite number, between 50 and 1000 mg\/dL/,
    ],
    [
      'a text for a number',
      `mutation { createPatient(input: { mrn: "x", features: [{ code: "age", value: 50 }, { code: "cholesterol", value: "${canary}" }] }) { id } }`,
      'features[1].value',
      /must be a finite number/,
    ],
    [
      'no date',
      `mutation { createPatient(input: { mrn: "x", birthDate: "${canary}" }) { id } }`,
      'birthDate',
      /must be a calendar date/,
    ],
    [
      'a number for a date',
      'mutation { createPatient(input: { mrn: "x", birthDate: 4711 }) { id } }',
      'birthDate',
      /must be a calendar date/,
    ],
    [
      'no enum value',
      'mutation { createPatient(input: { mrn: "x", sex: CANARY }) { id } }',
      'sex',
      /must be a value of the enum AdministrativeGender/,
    ],
    ['a missing field', `mutation { createPatient(input: { givenName: "${canary}" }) { id } }`, 'mrn', /is required/],
    [
      'a missing field of an item',
      'mutation { createPatient(input: { mrn: "x", features: [{ value: 1 }] }) { id } }',
      'features[0].code',
      /is required/,
    ],
    ['a missing argument', '{ scoringJob { id } }', 'id', /is required/],
    [
      'an unknown field of an input',
      `mutation { createPatient(input: { mrn: "x", nickname: "${canary}" }) { id } }`,
      'nickname',
      /"nickname" is not defined/,
    ],
    ['an unknown field', '{ viewer { nickname } }', 'viewer.nickname', /Cannot query field "nickname"/],
    ['an unknown argument', `{ patient(nickname: "${canary}") { id } }`, 'nickname', /Unknown argument "nickname"/],
    [
      'a null in a list',
      'mutation { submitBatchScoringJob(input: { modelId: "m", patientIds: ["a", null] }) { id } }',
      'patientIds[1]',
      /must not be null/,
    ],
    [
      'no time',
      `{ patients(filter: { createdAfter: "${canary}" }) { totalCount } }`,
      'filter.createdAfter',
      /must be a date and time/,
    ],
    ['a fraction of a page', '{ patients(first: 1.5) { totalCount } }', 'first', /must be a whole number/],
    ['a syntax error behind a text', `mutation { createPatient(input: { mrn: "${canary}" `, 'query', /syntax error/],
    [
      'a syntax error within a text',
      `mutation { createPatient(input: { mrn: "${canary}\n" }) { id } }`,
      'query',
      /syntax error/,
    ],
    [
      'a variable that is not defined',
      '{ patients(first: $n) { totalCount } }',
      'first',
      /Variable "\$n" is not defined/,
    ],
    [
      'a name that nobody can have',
      '{ patients(filter: { familyName: "a\\u0000b" }) { totalCount } }',
      'filter.familyName',
      /no control characters/,
    ],
    [
      'a name as long as a book',
      `{ patients(filter: { familyName: "${'x'.repeat(40_000)}" }) { totalCount } }`,
      'filter.familyName',
      /at most 200 characters/,
    ],
    ['neither id nor MRN', '{ patient { id } }', 'id', /give either id or mrn/],
    ['both id and MRN', `{ patient(id: "${someId}", mrn: "x") { id } }`, 'id', /give either id or mrn/],
    [
      'no contribution',
      '{ simulateRisk(input: { modelId: "heart-disease", features: [{ code: "age", value: 50 }, { code: "sex", value: 1 }, { code: "chest_pain_type", value: 1 }] }) { explanation { contributions(top: 0) { value } } } }',
      'top',
      /at least 1/,
    ],
    ['a subscription over HTTP', 'subscription { predictionCreated { id } }', 'query', /WebSocket/],
    [
      'two operations and no name',
      'query A { viewer { username } } query B { viewer { username } }',
      'query',
      /operation name/,
    ],
  ])('%s is refused by its place', async (_name, query, path, message) => {
    expectRefused(await system.post(query, undefined, token), path, message);
  });
});

describe('requests that are none', () => {
  test.each<[string, string, string]>([
    ['no JSON', `{"query": "${canary}`, 'body'],
    ['nothing', '', 'body'],
    ['a list of operations', `[{"query":"{ viewer { username } }"}]`, 'query'],
    ['a query that is a number', '{"query":5}', 'query'],
    ['variables that are a text', `{"query":"{ viewer { username } }","variables":"${canary}"}`, 'query'],
    ['a persisted query', `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"${'a'.repeat(64)}"}}}`, 'query'],
  ])('%s is BAD_USER_INPUT', async (_name, body, path) => {
    expectRefused(await postBody(system.url, body, token), path, /./);
  });

  test('a request above 4 MiB is 413 and BAD_USER_INPUT', async () => {
    const answer = await postBody(
      system.url,
      JSON.stringify({ query: create, variables: { input: { mrn: canary, givenName: 'x'.repeat(4 * 1024 * 1024) } } }),
      token,
    );
    expect(answer.status).toBe(413);
    expectRefused(answer, 'body', /larger than 4194304 bytes/);
  });
});

describe('what is not there', () => {
  test.each<[string, string, () => object]>([
    ['the patient of updatePatient', update, () => ({ id: someId, expectedVersion: 1, givenName: canary })],
    ['the patient of submitScoringJob', submitOne, () => ({ patientId: someId, modelId })],
    ['a patient id that is none', submitOne, () => ({ patientId: canary, modelId })],
    ['the model of submitScoringJob', submitOne, () => ({ patientId, modelId: 'nobody-s-model' })],
    ['the model version of submitScoringJob', submitOne, () => ({ patientId, modelId, modelVersion: '999.0.0' })],
    ['the model of submitBatchScoringJob', submitBatch, () => ({ all: true, modelId: 'nobody-s-model' })],
    ['the model of simulateRisk', simulate, () => ({ modelId: 'nobody-s-model' })],
    ['the patient of simulateRisk', simulate, () => ({ modelId, patientId: someId, features: goldenFeatures(0) })],
  ])('%s is NOT_FOUND', async (_name, operation, input) => {
    const answer = await system.post(operation, { input: input() }, token);
    expect(codesOf(answer)).toEqual(['NOT_FOUND']);
    expect(answer.text).not.toContain(canary);
  });

  test.each(['deletePatient', 'cancelScoringJob', 'retryScoringJob'])(
    '%s of nothing is NOT_FOUND',
    async (mutation) => {
      expect(codesOf(await system.post(`mutation { ${mutation}(id: "${someId}") { id } }`, undefined, token))).toEqual([
        'NOT_FOUND',
      ]);
      expect(codesOf(await system.post(`mutation { ${mutation}(id: "garbage") { id } }`, undefined, token))).toEqual([
        'NOT_FOUND',
      ]);
    },
  );

  test('a query for one object answers null, without an error', async () => {
    const { data, errors } = await system.post(
      `{ a: patient(id: "${someId}") { id } b: patient(id: "garbage") { id } c: patient(mrn: "${canary}") { id } d: prediction(id: "${someId}") { id } e: scoringJob(id: "${someId}") { id } f: riskModel(id: "x") { id } g: riskModel(id: "${modelId}", version: "9.9.9") { id } }`,
      undefined,
      token,
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({ a: null, b: null, c: null, d: null, e: null, f: null, g: null });
  });

  test('a required feature that the patient has not is BAD_USER_INPUT at submission', async () => {
    const created = await patient(client, { features: [{ code: 'cholesterol', value: 200 }] });
    before = await system.counts();
    const answer = await system.post(submitOne, { input: { patientId: created.id, modelId } }, token);
    expectRefused(answer, 'features.age', /is required, in years/);
    expectRefused(answer, 'features.sex', /is required/);
    expectRefused(answer, 'features.chest_pain_type', /is required/);
  });
});
