import { expect, test } from 'vitest';
import { createOne, simulate, submitBatch, update } from '../support/bad-input.js';
import { createUser } from '../support/identity.js';
import { modelId } from '../support/heart-disease.js';
import { patient, submit } from '../support/scenario.js';
import { codesOf, startSystem, type Answer } from '../support/system.js';

const system = await startSystem({ worker: false });
const client = await system.client('CLINICIAN');
const token = await system.token('CLINICIAN');
const admin = await system.token('ADMIN');
const secret = 'Canary-4711';

const pathsOf = ({ errors }: Answer): string[] => {
  expect(codesOf({ errors })).toEqual(['BAD_USER_INPUT']);
  return errors![0]!.extensions!.fields!.map(({ path }) => path).sort();
};
const messageAt = ({ errors }: Answer, path: string): string | undefined =>
  errors![0]!.extensions!.fields!.find((field) => field.path === path)?.message;

/** One input with an issue of each kind: types, rules of the fields, and the features of the models. */
const wrong = {
  mrn: ' ',
  sex: secret,
  birthDate: secret,
  familyName: 'x'.repeat(201),
  careTeam: ['no-such-clinician'],
  features: [
    { code: 'cholesterol', value: 99_999 },
    { code: 'max_heart_rate', value: secret },
    { code: 'no-such-feature', value: 1 },
    { code: 'cholesterol', value: 200 },
  ],
};
const pathsOfTypes = ['birthDate', 'features[1].value', 'sex'];
const pathsOfFeatures = ['features[0].value', 'features[2].code', 'features[3].code'];
const pathsOfRules = ['familyName', 'mrn'];

test('createPatient tells the issues of types, rules and features in one round', async () => {
  const answer = await system.post(createOne, { input: wrong }, token);
  expect(pathsOf(answer)).toEqual([...pathsOfTypes, ...pathsOfRules, ...pathsOfFeatures].sort());
  expect(messageAt(answer, 'sex')).toBe(
    'must be a value of the enum AdministrativeGender: MALE, FEMALE, OTHER, UNKNOWN',
  );
  expect(answer.text).not.toContain(secret);
});

test('createPatient tells the issues of rules, features and the care team in one round', async () => {
  const { sex: _sex, birthDate: _birthDate, features, ...rest } = wrong;
  const input = { ...rest, birthDate: '1066-01-01', features: features.filter((_, place) => place !== 1) };
  expect(pathsOf(await system.post(createOne, { input }, token))).toEqual(
    ['birthDate', 'careTeam', ...pathsOfRules, 'features[0].value', 'features[1].code', 'features[2].code'].sort(),
  );
});

test('updatePatient tells the issues of types, rules and features in one round', async () => {
  const { id } = await patient(client);
  const answer = await system.post(update, { input: { id, expectedVersion: 'one', ...wrong } }, token);
  expect(pathsOf(answer)).toEqual([...pathsOfTypes, ...pathsOfRules, ...pathsOfFeatures, 'expectedVersion'].sort());
});

test('simulateRisk tells the issues of values, and all values that the model lacks, in one round', async () => {
  const features = [
    { code: 'age', value: 4711 },
    { code: 'no-such-feature', value: 1 },
  ];
  const answer = await system.post(simulate, { input: { modelId, features } }, token);
  const paths = pathsOf(answer);
  expect(new Set(paths)).toEqual(new Set(['features', 'features[0].value', 'features[1].code']));
  expect(paths.filter((path) => path === 'features').length).toBeGreaterThan(1);
});

test('submitBatchScoringJob tells the issues of types and rules in one round', async () => {
  const input = { modelId, priority: 11, explain: 'perhaps', idempotencyKey: '', filter: { familyName: '' } };
  expect(pathsOf(await system.post(submitBatch, { input }, token))).toEqual([
    'explain',
    'filter.familyName',
    'idempotencyKey',
    'priority',
  ]);
});

test('createUser tells the issues of username and password in one round', async () => {
  const mutation = 'mutation ($input: CreateUserInput!) { createUser(input: $input) { id } }';
  const input = { username: ' ', role: 'ADMIN', password: 'short' };
  expect(pathsOf(await system.post(mutation, { input }, admin))).toEqual(['password', 'username']);
});

test('patients tells the issues of filter and page in one round', async () => {
  const query = '{ patients(first: 0, after: "x", filter: { familyName: "" }) { totalCount } }';
  expect(pathsOf(await system.post(query, undefined, token))).toEqual(['after', 'filter.familyName', 'first']);
});

const listPatients = (arguments_: string): string =>
  `query ($n: Int, $a: String, $f: PatientFilter) { patients(${arguments_}) { totalCount } }`;
const wrongPage = { n: 0, a: 'x' };
const wrongFilter = {
  sex: secret,
  minimumLatestProbability: 3,
  familyName: '',
  mrnPrefix: 'AB',
  familyNamePrefix: 'AB',
};
const wrongPatients = [
  'after',
  'filter.familyName',
  'filter.familyNamePrefix',
  'filter.minimumLatestProbability',
  'filter.sex',
  'first',
];

test('patients tells the issues of types, filter and page in one round, for variables', async () => {
  const query = listPatients('first: $n, after: $a, filter: $f');
  const answer = await system.post(query, { ...wrongPage, f: wrongFilter }, token);
  expect(pathsOf(answer)).toEqual(wrongPatients);
  expect(messageAt(answer, 'filter.sex')).toMatch(/^must be a value of the enum/);
  expect(answer.text).not.toContain(secret);
});

test('patients tells the same, by the same paths, for values in the query and for defaults', async () => {
  const filter = `{ sex: Unknown${4711}, minimumLatestProbability: 3, familyName: "", mrnPrefix: "AB", familyNamePrefix: "AB" }`;
  const inQuery = `{ patients(first: 0, after: "x", filter: ${filter}) { totalCount } }`;
  expect(pathsOf(await system.post(inQuery, undefined, token))).toEqual(wrongPatients);
  const inDefault = `query ($n: Int = 0, $f: PatientFilter = ${filter}) {
    patients(first: $n, after: "x", filter: $f) { totalCount } }`;
  expect(pathsOf(await system.post(inDefault, undefined, token))).toEqual(wrongPatients);
});

test('all wrong values in a query are one error, which names the place of each', async () => {
  const query = `{ patients(first: "one", filter: { sex: NONE }, orderBy: { field: NONE }) { totalCount } }`;
  const answer = await system.post(query, undefined, token);
  expect(pathsOf(answer)).toEqual(['filter.sex', 'first', 'orderBy.field']);
  expect((answer.errors![0] as { locations?: unknown }).locations).toHaveLength(3);
});

test('what is no value in a query stays an error of its own', async () => {
  const query = `{ patients(first: "one", filter: { sex: NONE }) { totalCount noSuchField } }`;
  const { errors } = await system.post(query, undefined, token);
  expect(errors!.map(({ extensions }) => extensions!.fields!.map(({ path }) => path).sort())).toEqual([
    ['filter.sex', 'first'],
    ['patients.noSuchField'],
  ]);
});

test('a wrong variable is named by each argument that takes it', async () => {
  const query = `query ($s: AdministrativeGender, $n: Int) {
    ...page
    patients(first: $n, filter: { sex: $s }) { totalCount }
  }
  fragment page on Query { jobs: scoringJobs(last: $n) { totalCount } }`;
  expect(pathsOf(await system.post(query, { s: secret, n: 'one' }, token))).toEqual(['filter.sex', 'first', 'last']);
  const inList = `query ($s: RiskBand!) { predictions(filter: { riskBands: [HIGH, $s] }) { totalCount } }`;
  expect(pathsOf(await system.post(inList, { s: secret }, token))).toEqual(['filter.riskBands[1]']);
});

test('predictions tells the issues of types, filter and page in one round', async () => {
  const query = 'query ($n: Int, $f: PredictionFilter) { predictions(first: $n, filter: $f) { totalCount } }';
  const rules = { minimumProbability: 0.5, maximumProbability: 2 };
  const paths = ['filter.maximumProbability', 'filter.minimumProbability', 'first'];
  for (const filter of [rules, { ...rules, maximumProbability: 0.4 }]) {
    const wrongRules = paths.filter(
      (path) => path !== (filter === rules ? 'filter.minimumProbability' : 'filter.maximumProbability'),
    );
    expect(pathsOf(await system.post(query, { n: 501, f: filter }, token))).toEqual(wrongRules);
    const answer = await system.post(query, { n: 501, f: { ...filter, riskBands: [secret] } }, token);
    expect(pathsOf(answer)).toEqual([...wrongRules.slice(0, -1), 'filter.riskBands[0]', 'first']);
  }
});

test('a lowest probability above the highest is refused, with what to do', async () => {
  const range = { minimumLatestProbability: 0.5, maximumLatestProbability: 0.4 };
  const answer = await system.post(listPatients('filter: $f, first: $n, after: $a'), { f: range }, token);
  expect(pathsOf(answer)).toEqual(['filter.minimumLatestProbability']);
  expect(messageAt(answer, 'filter.minimumLatestProbability')).toBe(
    'must not be above maximumLatestProbability: exchange the two, or leave one out',
  );
  const batch = await system.post(submitBatch, { input: { modelId, filter: range } }, token);
  expect(pathsOf(batch)).toEqual(['filter.minimumLatestProbability']);
});

test('only a caller who may write patients learns of features from wrong types', async () => {
  for (const reader of [undefined, await system.token('ANALYST')])
    expect(pathsOf(await system.post(createOne, { input: wrong }, reader))).toEqual(pathsOfTypes);
});

test('a conflict names its field', async () => {
  const { id, mrn } = await patient(client);
  const conflict = async (query: string, input: object, as = token): Promise<string> => {
    const answer = await system.post(query, { input }, as);
    expect(codesOf(answer)).toEqual(['CONFLICT']);
    expect(answer.errors![0]!.extensions!.fields).toHaveLength(1);
    return answer.errors![0]!.extensions!.fields![0]!.path;
  };
  expect(await conflict(createOne, { mrn })).toBe('mrn');
  expect(await conflict(update, { id, expectedVersion: 9, givenName: 'Other' })).toBe('expectedVersion');
  await submit(client, { patientId: id, idempotencyKey: 'once' });
  expect(await conflict(submitBatch, { modelId, all: true, idempotencyKey: 'once' })).toBe('idempotencyKey');
  const { username, password } = await createUser(system);
  expect(
    await conflict(
      'mutation ($input: CreateUserInput!) { createUser(input: $input) { id } }',
      { username, password, role: 'ADMIN' },
      admin,
    ),
  ).toBe('username');
});
