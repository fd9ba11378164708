import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { startApi } from '../../src/api.js';
import { connectSocket, openSocket, type RawSocket } from '../support/raw-socket.js';
import { patient, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const token = await system.token('CLINICIAN');
const client = await system.client('CLINICIAN');
const predictionCreated = 'subscription { predictionCreated { id } }';

/** Number of subscriptions that the API serves, by its own metric. */
async function openSubscriptions(): Promise<number> {
  const text = await (await fetch(`${system.url}/metrics`)).text();
  return [...text.matchAll(/^riskgraph_subscriptions\{[^}]*\} (\d+)/gm)].reduce(
    (total, [, count]) => total + Number(count),
    0,
  );
}

async function subscribe(socket: RawSocket, query: string, variables?: object) {
  socket.send({ type: 'subscribe', id: '1', payload: { query, variables } });
  return socket.next();
}

const errorsOf = (payload: unknown) =>
  payload as { message: string; extensions: { code: string; fields?: { path: string }[] } }[];

async function submitJob(): Promise<string> {
  const created = await patient(client);
  return (await submit(client, { patientId: created.id })).id;
}

test.each([
  ['predictionCreated', predictionCreated],
  ['scoringJobUpdated', 'subscription { scoringJobUpdated(id: "aaaaaaaaaaaaaaaaaaaaaaaa") { sequence } }'],
])('%s is refused to anonymous callers before its first event, and starts no subscription', async (_name, query) => {
  const socket = await connectSocket(system.url);
  const answer = await subscribe(socket, query);
  expect(answer.type).toBe('error');
  expect(errorsOf(answer.payload)[0]!.extensions.code).toBe('UNAUTHENTICATED');
  expect(await openSubscriptions()).toBe(0);
});

test('one Redis channel serves every subscriber, and a subscription that ends leaves nothing behind', async () => {
  const redis = new Redis(system.app.config.redisUrl!);
  onTestFinished(() => redis.disconnect());
  const channels = async (): Promise<unknown> => redis.call('PUBSUB', 'CHANNELS', `${system.app.config.redisPrefix}*`);
  const before = await channels();
  expect(before).toHaveLength(1);
  const id = await submitJob();
  const socket = await connectSocket(system.url, token);
  for (let number = 0; number < 50; number++) {
    socket.send({
      type: 'subscribe',
      id: `s${number}`,
      payload: { query: `subscription { scoringJobUpdated(id: "${id}") { sequence } }` },
    });
    expect(await socket.next()).toMatchObject({ type: 'next', id: `s${number}` });
  }
  expect(await openSubscriptions()).toBe(50);
  expect(await channels()).toEqual(before);
  for (let number = 0; number < 50; number++) socket.send({ type: 'complete', id: `s${number}` });
  // The server handles messages in order. When it answers this one, it has handled the others.
  expect(await subscribe(socket, 'subscription { nothing }')).toMatchObject({ type: 'error' });
  expect(await openSubscriptions()).toBe(0);
});

test('a token that is not valid ends the socket with 4403, before any acknowledgement', async () => {
  for (const authorization of [
    'Bearer garbage',
    'Bearer a.b.c',
    token,
    5,
    { a: 1 },
    `Bearer ${await system.token('CLINICIAN', 'alpha', -10)}`,
  ]) {
    const socket = await openSocket(system.url);
    socket.send({ type: 'connection_init', payload: { authorization } });
    expect((await socket.closed).code).toBe(4403);
  }
});

test('a token that expires ends the socket with 4403, with its subscriptions', async () => {
  const id = await submitJob();
  const socket = await connectSocket(system.url, await system.token('CLINICIAN', 'alpha', 4));
  expect(await subscribe(socket, `subscription { scoringJobUpdated(id: "${id}") { job { state } } }`)).toMatchObject({
    type: 'next',
  });
  expect(await socket.closed).toMatchObject({ code: 4403, reason: expect.stringContaining('expired') });
});

test.each([
  ['a query', '{ viewer { username } }'],
  ['introspection', '{ __schema { queryType { name } } }'],
  ['a mutation', 'mutation { deletePatient(id: "aaaaaaaaaaaaaaaaaaaaaaaa") { id } }'],
])('%s is refused over the WebSocket', async (_name, query) => {
  const answer = await subscribe(await connectSocket(system.url, token), query);
  expect(answer.type).toBe('error');
  expect(errorsOf(answer.payload)[0]).toMatchObject({
    message: expect.stringContaining('POST /graphql'),
    extensions: { code: 'BAD_USER_INPUT' },
  });
});

test.each<[string, string, object | undefined, string, string | undefined]>([
  ['no such field', 'subscription { nothing }', undefined, 'BAD_USER_INPUT', 'nothing'],
  ['no GraphQL', 'subscription {', undefined, 'BAD_USER_INPUT', 'query'],
  [
    'a missing variable',
    'subscription ($id: ID!) { scoringJobUpdated(id: $id) { sequence } }',
    {},
    'BAD_USER_INPUT',
    'id',
  ],
  [
    'a variable of the wrong type',
    'subscription ($id: ID!) { scoringJobUpdated(id: $id) { sequence } }',
    { id: { a: 'Canary-4711' } },
    'BAD_USER_INPUT',
    'id',
  ],
  [
    'a job that does not exist',
    'subscription { scoringJobUpdated(id: "aaaaaaaaaaaaaaaaaaaaaaaa") { sequence } }',
    undefined,
    'NOT_FOUND',
    undefined,
  ],
  [
    'an invalid job id',
    'subscription { scoringJobUpdated(id: "Canary-4711") { sequence } }',
    undefined,
    'NOT_FOUND',
    undefined,
  ],
  [
    'a patient that does not exist',
    'subscription { predictionCreated(patientId: "aaaaaaaaaaaaaaaaaaaaaaaa") { id } }',
    undefined,
    'NOT_FOUND',
    undefined,
  ],
])('a subscription to %s is answered with one error of the contract', async (_name, query, variables, code, path) => {
  const answer = await subscribe(await connectSocket(system.url, token), query, variables);
  expect(answer.type).toBe('error');
  const [error] = errorsOf(answer.payload);
  expect(error!.extensions.code).toBe(code);
  expect(error!.extensions.fields?.[0]?.path).toBe(path);
  expect(JSON.stringify(answer)).not.toContain('Canary-4711');
  expect(await openSubscriptions()).toBe(0);
});

test.each([99, -1])('%i as a sequence number of a new job is BAD_USER_INPUT', async (after) => {
  const id = await submitJob();
  const answer = await subscribe(
    await connectSocket(system.url, token),
    `subscription { scoringJobUpdated(id: "${id}", after: ${after}) { sequence } }`,
  );
  expect(errorsOf(answer.payload)[0]!.extensions).toMatchObject({
    code: 'BAD_USER_INPUT',
    fields: [{ path: 'after' }],
  });
});

test('a first client that offers an older protocol too is served with the protocol that both know', async () => {
  const fresh = await startApi(system.app);
  onTestFinished(() => fresh.close());
  const socket = await openSocket(fresh.url, ['graphql-ws', 'graphql-transport-ws']);
  socket.send({ type: 'connection_init' });
  expect(await socket.next()).toMatchObject({ type: 'connection_ack' });
});

test("a message outside the protocol closes the socket with the protocol's own codes", async () => {
  const noProtocol = await openSocket(system.url, []);
  expect((await noProtocol.closed).code).toBe(4406);

  // The server supports none of these protocols, so the client itself closes the connection (RFC 6455, 4.1).
  const otherProtocol = await openSocket(system.url, ['graphql-ws-of-old']);
  expect((await otherProtocol.closed).code).toBe(1006);

  const early = await openSocket(system.url);
  early.send({ type: 'subscribe', id: '1', payload: { query: predictionCreated } as never });
  expect((await early.closed).code).toBe(4401);

  const noJson = await connectSocket(system.url, token);
  noJson.send('{ "type": Canary');
  expect(await noJson.closed).toMatchObject({ code: 4400, reason: expect.not.stringContaining('Canary') });

  const twice = await connectSocket(system.url, token);
  twice.send({ type: 'connection_init' });
  expect((await twice.closed).code).toBe(4429);

  const sameId = await connectSocket(system.url, token);
  sameId.send({ type: 'subscribe', id: 'a', payload: { query: predictionCreated } });
  sameId.send({ type: 'subscribe', id: 'a', payload: { query: predictionCreated } });
  expect((await sameId.closed).code).toBe(4409);

  const large = await connectSocket(system.url, token);
  large.send({
    type: 'subscribe',
    id: 'a',
    payload: { query: `${predictionCreated} # ${'x'.repeat(5 * 1024 * 1024)}` },
  });
  expect((await large.closed).code).toBe(1009);
});
