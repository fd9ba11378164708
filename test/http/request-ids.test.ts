import pino from 'pino';
import { expect, test } from 'vitest';
import { connectSocket } from '../support/raw-socket.js';
import { asAdmin } from '../support/identity.js';
import { modelId } from '../support/heart-disease.js';
import { patient } from '../support/scenario.js';
import { postBody, startSystem } from '../support/system.js';

const lines: string[] = [];
const logger = pino({}, { write: (line: string) => void lines.push(line) });
const system = await startSystem({ worker: false, logger });
const behindProxy = await startSystem({ worker: false, environment: { TRUST_PROXY: '127.0.0.1' } });
const token = await system.token('CLINICIAN');
const idForm = /^[0-9a-f-]{36}$/;

interface Answered {
  readonly errors: readonly { readonly extensions: { readonly code: string; readonly requestId: string } }[];
}

const send = async (path: string, init: RequestInit = {}, { url } = system): Promise<Answered> =>
  (await (await fetch(`${url}${path}`, init)).json()) as Answered;
const post = (query: string, headers: Record<string, string> = {}, to = system): Promise<Answered> =>
  send(
    '/graphql',
    { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ query }) },
    to,
  );
const onlyId = ({ errors }: Answered): string => {
  const ids = new Set(errors.map(({ extensions }) => extensions.requestId));
  expect(ids.size).toBe(1);
  return [...ids][0]!;
};

test.each<[string, () => Promise<Answered>]>([
  ['a syntax error', () => post('{')],
  ['a field that does not exist', () => post('{ nothing }')],
  ['two fields that do not exist', () => post('{ nothing nowhere }')],
  ['a caller without a token', () => post('{ viewer { role } }')],
  ['a request without a header against CSRF', () => send('/graphql?query={viewer{role}}')],
  [
    'a body that is no JSON',
    () => send('/graphql', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' }),
  ],
  [
    'a body without a query',
    () => send('/graphql', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }),
  ],
  ['another media type', () => send('/graphql', { method: 'POST', body: 'x' })],
  ['another address', () => send('/elsewhere')],
  ['another method', () => send('/graphql', { method: 'PUT' })],
])('the error of %s has a request id', async (_name, answer) => {
  expect(onlyId(await answer())).toMatch(idForm);
});

test('the audit trail has the request id of a refusal', async () => {
  const { errors } = await system.post('{ users { totalCount } }', undefined, token);
  const { requestId } = errors![0]!.extensions as unknown as { requestId: string };
  const { auditEvents } = await asAdmin<{ auditEvents: { edges: readonly { node: { action: string } }[] } }>(
    system,
    'query ($filter: AuditEventFilter) { auditEvents(filter: $filter) { edges { node { action } } } }',
    { filter: { requestId } },
  );
  expect(auditEvents.edges.map(({ node }) => node.action)).toEqual(['user:manage']);
});

test('the log has the request id of an unexpected error', async () => {
  await system.app.models.organizations.collection.updateOne({ slug: 'alpha' }, { $rename: { slug: 'slag' } });
  const answer = await post('{ viewer { organization { slug } } }', { authorization: `Bearer ${token}` });
  await system.app.models.organizations.collection.updateOne({ slag: 'alpha' }, { $rename: { slag: 'slug' } });
  const id = onlyId(answer);
  expect(answer.errors[0]!.extensions.code).toBe('INTERNAL');
  expect(lines.filter((line) => line.includes(id))).toHaveLength(1);
});

test('each subscription that is refused has a request id of its own', async () => {
  const socket = await connectSocket(system.url, token);
  const refusal = async (id: string, query: string): Promise<string> => {
    socket.send({ type: 'subscribe', id, payload: { query } });
    const message = (await socket.next()) as { type: string; payload: Answered['errors'] };
    expect(message.type).toBe('error');
    return onlyId({ errors: message.payload });
  };
  const ids = [
    await refusal('1', 'subscription { nothing }'),
    await refusal('2', '{ viewer { role } }'),
    await refusal('3', 'subscription { scoringJobUpdated(id: "none") { sequence } }'),
  ];
  for (const id of ids) expect(id).toMatch(idForm);
  expect(new Set(ids).size).toBe(3);
});

test.each([
  ['6f9619ff-8b86-d011-b42d-00cf4fc964ff', true],
  ['0123456789abcdef0123456789abcdef', true],
  ['short', false],
  ['two words of some text', false],
  ['name=Ada;born=1950', false],
  ['x'.repeat(129), false],
])('a trusted proxy gives the request id %s: %s', async (given, isTaken) => {
  const header = { 'x-request-id': given };
  expect(onlyId(await post('{ viewer { role } }', header, behindProxy)) === given).toBe(isTaken);
  expect(onlyId(await post('{ viewer { role } }', header))).toMatch(idForm);
});

test.each([
  ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', '4bf92f3577b34da6a3ce929d0e0e4736'],
  ['00-00000000000000000000000000000000-00f067aa0ba902b7-01', undefined],
  ['00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01', undefined],
  ['00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01', undefined],
  ['Ada-born-1950', undefined],
])('the trace id of a trusted proxy is the request id, when it is one: %s', async (traceparent, id) => {
  const taken = onlyId(await post('{ viewer { role } }', { traceparent }, behindProxy));
  if (id === undefined) expect(taken).toMatch(idForm);
  else expect(taken).toBe(id);
  expect(onlyId(await post('{ viewer { role } }', { traceparent }))).toMatch(idForm);
  const both = { traceparent, 'x-request-id': '6f9619ff-8b86-d011-b42d-00cf4fc964ff' };
  expect(onlyId(await post('{ viewer { role } }', both, behindProxy))).toBe(both['x-request-id']);
});

test('every answer names its request in a header', async () => {
  const given = '6f9619ff-8b86-d011-b42d-00cf4fc964ff';
  const response = await fetch(`${behindProxy.url}/health/live`, { headers: { 'x-request-id': given } });
  expect(response.headers.get('x-request-id')).toBe(given);
});

test('one id joins the request, the log of API and worker, and the audit trail', async () => {
  const told: string[] = [];
  const tracing = await startSystem({
    logger: pino({ level: 'trace' }, { write: (line: string) => void told.push(line) }),
    environment: { TRUST_PROXY: 'loopback' },
  });
  const client = await tracing.client('CLINICIAN');
  const { id: patientId, familyName, mrn } = await patient(client, { familyName: 'Canary' });
  const id = 'a-request-of-the-proxy-4711';
  await post(
    `mutation Canary_Operation { submitScoringJob(input: { patientId: "${patientId}", modelId: "${modelId}" }) { id } }`,
    { authorization: `Bearer ${await tracing.token('CLINICIAN')}`, 'x-request-id': id },
    tracing,
  );
  const messages = (): string[] =>
    told
      .filter((line) => line.includes(`"requestId":"${id}"`))
      .map((line) => (JSON.parse(line) as { msg: string }).msg);
  await expect.poll(messages).toEqual(expect.arrayContaining(['operation answered', 'job scored']));
  const events = await tracing.app.models.auditEvents.find({ requestId: id }).lean();
  expect(events.map(({ action }) => action)).toContain('job:submit');
  // The caller has chosen the name of its operation, so it is not logged.
  for (const secret of ['Canary', familyName!, mrn!]) expect(told.join('')).not.toContain(secret);
});

test('an answer tells its cost outside of production', async () => {
  const { text } = await system.post('{ viewer { role } }', undefined, token);
  expect(JSON.parse(text)).toMatchObject({ extensions: { cost: expect.any(Number) as number } });
});

test('a body that is too deep for the limits has a request id too', async () => {
  const answer = await postBody<never>(system.url, JSON.stringify({ query: '{'.repeat(200) }), token);
  expect(answer.errors![0]!.extensions).toHaveProperty('requestId');
});
