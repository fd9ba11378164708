/** Covers schema/build-schema.ts, src/input.ts. */
// Threat: a client sets a value that only the server may set: an owner, a role, a state or a result.

import { getNamedType, isInputObjectType, type GraphQLInputObjectType } from 'graphql';
import { expect, test } from 'vitest';
import { buildBareSchema } from '../../schema/build-schema.js';
import { newPatient } from '../support/heart-disease.js';
import { everyCall } from '../support/operations.js';
import { codesOf, startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const schema = buildBareSchema(system.app);
const inputs = Object.values(schema.getTypeMap()).filter((type): type is GraphQLInputObjectType =>
  isInputObjectType(type),
);

/** Names of fields that only the server sets. */
const serverOwned =
  /^_id$|^organization|^tenant|^state$|^stage$|^probability$|^riskBand$|^rawOutput$|^explanation$|hash|sha256|^sequence$|^attempts$|^version$|^createdAt$|^updatedAt$|^submittedBy$|^permissions$|^breakGlass$|^flagged$/i;
/** Places where such a name sets nothing: the organization of a login, a model, or a filter. */
const exceptions = new Set(['LoginInput.organization']);

// Shows: 164.312(a)(1)
test('no input has a field that only the server sets', () => {
  expect(inputs.length).toBeGreaterThan(5);
  const settable = inputs
    .flatMap((input) => Object.keys(input.getFields()).map((field) => `${input.name}.${field}`))
    .filter((path) => !path.split('.')[0]!.endsWith('Filter'));
  expect(settable.length).toBeGreaterThan(20);
  expect(settable.filter((path) => serverOwned.test(path.split('.')[1]!) && !exceptions.has(path))).toEqual([]);
});

// Shows: 164.312(a)(1)
test('only administrators set a role', () => {
  const withRole = inputs.filter((input) => 'role' in input.getFields()).map(({ name }) => name);
  const mutations = Object.values(schema.getMutationType()!.getFields());
  const setters = mutations
    .filter(({ args }) => args.some(({ type }) => withRole.includes(getNamedType(type).name)))
    .map(({ name }) => name);
  expect(setters.every((name) => ['createUser', 'updateUser'].includes(name))).toBe(true);
});

test.each([
  'organization',
  'organizationId',
  '_id',
  'id',
  'version',
  'createdAt',
  'breakGlass',
  '__proto__',
  'constructor',
  '$set',
])('a patient with a field "%s" besides its own is refused, and nothing is stored', async (field) => {
  const token = await system.token('CLINICIAN');
  const before = await system.counts();
  const body =
    '{"query": "mutation ($input: CreatePatientInput!) { createPatient(input: $input) { id } }", ' +
    '"variables": {"input": ' +
    `${JSON.stringify(newPatient()).replace(/}$/, `, ${JSON.stringify(field)}: "aaaaaaaaaaaaaaaaaaaaaaaa"}`)}}}`;
  const response = await fetch(`${system.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body,
  });
  const answer = (await response.json()) as { errors?: { message: string; extensions: { code: string } }[] };
  expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
  expect(await system.counts()).toEqual(before);
});

const ownedNames = [
  'organization',
  'organizationId',
  '_id',
  'state',
  'status',
  'probability',
  'riskBand',
  'passwordHash',
  'secretHash',
  'tokenHash',
  'modelSha256',
  'createdAt',
  'createdBy',
  'submittedBy',
  'lastUsedAt',
  'flagged',
  '$set',
];
const calls = everyCall(schema, () => [], 1);
const roots = [schema.getQueryType()!, schema.getMutationType()!].flatMap((type) => Object.values(type.getFields()));
/** Every argument that is an input object, with a call that the schema accepts. */
const inputArguments = roots.flatMap((field) =>
  field.args.flatMap((argument) => {
    const input = getNamedType(argument.type);
    return isInputObjectType(input)
      ? [
          {
            place: `${field.name}(${argument.name}: ${input.name})`,
            argument: argument.name,
            input,
            call: calls.find((call) => call.field === field.name)!,
          },
        ]
      : [];
  }),
);

test('every mutation that takes more than ids is among the places', () => {
  expect(inputArguments.map(({ place }) => place)).toEqual(
    expect.arrayContaining([
      'createUser(input: CreateUserInput)',
      'createApiKey(input: CreateApiKeyInput)',
      'breakGlass(input: BreakGlassInput)',
      'patients(filter: PatientFilter)',
    ]),
  );
});

// Shows: 164.312(a)(1)
test.each(inputArguments.map((one) => [one.place, one] as const))(
  '%s accepts no field that only the server sets',
  async (_place, { argument, input, call }) => {
    const before = await system.counts();
    const tokens = [await system.token('ADMIN'), await system.token('CLINICIAN')];
    for (const name of ownedNames.filter((owned) => !(owned in input.getFields()))) {
      const variables = {
        ...call.variables,
        [argument]: { ...(call.variables[argument] as object | undefined), [name]: 'ADMIN' },
      };
      for (const token of tokens) {
        const answer = await system.post(call.operation, variables, token);
        expect(new Set(codesOf(answer)), name).toEqual(new Set(['BAD_USER_INPUT']));
        expect(answer.data, name).toBeUndefined();
      }
    }
    expect(await system.counts()).toEqual(before);
  },
);

// Shows: owasp/specific-types
test('a submission cannot set the submitter, state, organization or result of a job', async () => {
  const token = await system.token('CLINICIAN');
  const before = await system.counts();
  for (const field of [
    'submittedBy: "x"',
    'state: COMPLETED',
    'organization: "aaaaaaaaaaaaaaaaaaaaaaaa"',
    'probability: 1',
    'modelSha256: "x"',
  ]) {
    const answer = await system.post(
      `mutation { submitScoringJob(input: { patientId: "a", modelId: "heart-disease", ${field} }) { id } }`,
      undefined,
      token,
    );
    expect(codesOf(answer), field).toEqual(['BAD_USER_INPUT']);
  }
  expect(await system.counts()).toEqual(before);
});
