/** Covers src/scope/organization-scope.ts, src/scope/scoped-collection.ts, schema/permission-rules.ts. */
// Threat: a caller of another organization tries every field and every argument of the schema with the ids, MRNs, names
// and cursors of alpha. The caller gets NOT_FOUND or nothing, and alpha stays unchanged.

import { createHash } from 'node:crypto';
import { Types } from 'mongoose';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildBareSchema } from '../../schema/build-schema.js';
import { modelId, newPatient } from '../support/heart-disease.js';
import { goodPassword } from '../support/identity.js';
import { everyCall, type Call } from '../support/operations.js';
import { connectSocket } from '../support/raw-socket.js';
import { ended, patient, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const system = await startSystem();
const schema = buildBareSchema(system.app);
const alpha = new Types.ObjectId(await system.organizationId('alpha'));

/** Ids and values of alpha, by their kind. */
let known: { ids: string[]; texts: string[]; cursors: string[] };
let before: string;

/** Names that are unmistakable in an answer. */
const markers = ['Canarygiven', 'Canaryfamily', 'Canarymrn-1', '1951-07-23', '567.0625'];

beforeAll(async () => {
  const client = await system.client('CLINICIAN', 'alpha');
  const values = newPatient({
    mrn: 'Canarymrn-1',
    givenName: 'Canarygiven',
    familyName: 'Canaryfamily',
    birthDate: '1951-07-23',
  });
  const features = [
    ...values.features.filter(({ code }) => code !== 'cholesterol'),
    { code: 'cholesterol', value: 567.0625 },
  ];
  const { id: patientId } = await patient(client, { ...values, features });
  const job = await submit(client, { patientId, idempotencyKey: 'alpha-key' });
  await ended(client, job.id);
  const batch = await submit(client, { all: true });
  await ended(client, batch.id);
  await makeAccounts('alpha');
  await makeAccounts('beta');
  known = {
    ids: await idsOfAlpha(),
    texts: ['Canarymrn-1', 'Canaryfamily', 'Canaryuser', 'alpha', 'alpha-key'],
    cursors: await cursorsOfAlpha(),
  };
  expect(known.ids.length).toBeGreaterThanOrEqual(5);
  await system.token('CLINICIAN', 'beta');
  await system.token('ADMIN', 'beta');
  before = await fingerprintOfAlpha();
});

/** Creates the objects that an administrator can make besides patients. */
async function makeAccounts(slug: string): Promise<void> {
  const admin = await system.token('ADMIN', slug);
  const inputs: Record<string, object> = {
    createUser: { username: 'Canaryuser', password: goodPassword, role: 'CLINICIAN' },
    createApiKey: { name: 'Canarykey', scopes: ['job:submit'] },
    createWebhookEndpoint: { url: 'https://care.invalid/Canaryhook', states: ['FAILED'] },
  };
  for (const [field, input] of Object.entries(inputs)) {
    const definition = schema.getMutationType()!.getFields()[field];
    if (!definition) continue;
    const { errors } = await system.post(
      `mutation ($input: ${String(definition.args[0]!.type)}) { ${field}(input: $input) { __typename } }`,
      { input },
      admin,
    );
    expect(errors, field).toBeUndefined();
  }
}

/** All of alpha but what a worker changes of its own: the time of a look back for a new webhook endpoint. */
async function documentsOfAlpha(): Promise<[string, object[]][]> {
  const collections = Object.entries(system.app.models).filter(([name]) => !name.startsWith('audit'));
  return Promise.all(
    collections.map(
      async ([name, model]) =>
        [
          name,
          await model.collection
            .find({ organization: alpha }, { projection: { catchUpAt: 0 } })
            .sort({ _id: 1 })
            .toArray(),
        ] as [string, object[]],
    ),
  );
}

async function idsOfAlpha(): Promise<string[]> {
  const documents = (await documentsOfAlpha()).flatMap(([, found]) => found as { _id: Types.ObjectId }[]);
  const { data } = await system.post<{ predictions: { edges: { node: { id: string } }[] } }>(
    '{ predictions(first: 500) { edges { node { id } } } }',
    undefined,
    await system.token('CLINICIAN', 'alpha'),
  );
  return [
    ...new Set([...documents.map(({ _id }) => String(_id)), ...data!.predictions.edges.map(({ node }) => node.id)]),
  ].filter((id) => /^[0-9a-f]{24}$/.test(id));
}

async function cursorsOfAlpha(): Promise<string[]> {
  const lists = await Promise.all(
    (['patients', 'predictions', 'scoringJobs', 'auditEvents'] as const).map(async (list) => {
      const { data } = await system.post<Record<string, { edges: { cursor: string }[] }>>(
        `{ ${list}(first: 1) { edges { cursor } } }`,
        undefined,
        await system.token(list === 'auditEvents' ? 'ADMIN' : 'CLINICIAN', 'alpha'),
      );
      return data![list]!.edges.map(({ cursor }) => cursor);
    }),
  );
  return lists.flat();
}

/** Fingerprint of alpha's data, which changes when any of it changes. */
const fingerprintOfAlpha = async (): Promise<string> =>
  createHash('sha256')
    .update(JSON.stringify(await documentsOfAlpha()))
    .digest('hex');

/** Gives every value of alpha that fits an argument. */
function candidates(path: string, type: string): readonly unknown[] {
  if (type === 'ID') return path.endsWith('modelId') ? [modelId] : known.ids;
  if (type !== 'String') return [];
  if (path.endsWith('after')) return known.cursors;
  // A caller's own patient may have any name, because only the caller's organization sees it.
  if (/^(create|update)Patient\b/.test(path)) return [`own-${(own += 1)}`];
  if (path.endsWith('reason')) return ['A reason that is long enough'];
  if (path.endsWith('assword')) return [goodPassword];
  return known.texts;
}

let own = 0;
const harmless = new Set([
  'NOT_FOUND',
  'BAD_USER_INPUT',
  'FORBIDDEN',
  'UNAUTHENTICATED',
  'INVALID_CREDENTIALS',
  'CONFLICT',
  'RATE_LIMITED',
]);

/** Checks that an answer holds nothing of alpha, except what the caller sent. */
function expectNothingOfAlpha(text: string, { name, variables }: Call): void {
  const sent = JSON.stringify(variables);
  for (const secret of [...known.ids, ...markers])
    if (!sent.includes(secret)) expect(text.includes(secret), `${name} shows ${secret}`).toBe(false);
}

describe.each(['CLINICIAN', 'ADMIN', 'SERVICE', 'ANALYST'] as const)('a %s of another organization', (role) => {
  // Shows: 164.312(a)(1), owasp/idor
  test('gets NOT_FOUND or nothing from every query and mutation that names something of alpha', async () => {
    const token = await system.token(role, 'beta');
    const calls = everyCall(schema, candidates, 3).filter(({ kind }) => kind !== 'subscription');
    expect(calls.length).toBeGreaterThan(50);
    for (const call of calls) {
      const { text, errors } = await system.post(call.operation, call.variables, token);
      expectNothingOfAlpha(text, call);
      for (const { extensions, message } of errors ?? [])
        expect(harmless.has(extensions!.code!), `${call.name}: ${extensions!.code} ${message}`).toBe(true);
    }
    expect(await fingerprintOfAlpha()).toBe(before);
  }, 120_000);

  // Shows: 164.312(a)(1)
  test('gets NOT_FOUND from every subscription that names something of alpha', async () => {
    const calls = everyCall(schema, candidates, 3).filter(
      ({ kind, variables }) =>
        kind === 'subscription' && known.ids.includes(String(variables.id ?? variables.patientId)),
    );
    expect(calls.length).toBeGreaterThan(1);
    const socket = await connectSocket(system.url, await system.token(role, 'beta'));
    for (const [index, call] of calls.entries()) {
      socket.send({
        type: 'subscribe',
        id: String(index),
        payload: { query: call.operation, variables: call.variables },
      });
      const answer = await socket.next();
      expect(answer.type, call.name).toBe('error');
      expect(['NOT_FOUND', 'FORBIDDEN']).toContain(
        (answer.payload as { extensions: { code: string } }[])[0]!.extensions.code,
      );
      expectNothingOfAlpha(JSON.stringify(answer), call);
    }
  });
});
