/** Covers src/http/rate-limits.ts, src/http/server.ts. */
// Threat: a client sends more requests than its limit allows.

import { GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { startApi } from '../../src/api.js';
import { createApp } from '../../src/app.js';
import { startRedis } from '../../src/embedded/embedded-redis.js';
import { startEngines } from '../../src/embedded/engines.js';
import { RateLimitedError } from '../../src/errors.js';
import { addressBlock } from '../../src/net/address-block.js';
import { startHttpServer } from '../../src/http/server.js';
import { createJobStreams } from '../../src/jobs/job-stream.js';
import { createPredictionStreams } from '../../src/predictions/prediction-stream.js';
import { proxyTo } from '../support/cuttable-proxy.js';
import { monitorRedis } from '../support/redis-monitor.js';
import { namespace } from '../support/namespace.js';
import { connectSocket, openSocket } from '../support/raw-socket.js';
import { codesOf, startSystem, type Answer } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const perUser = 30;
const perAddress = 15;
const limits = { RATE_LIMIT_USER_PER_MINUTE: String(perUser), RATE_LIMIT_ADDRESS_PER_MINUTE: String(perAddress) };
const whoAmI = '{ viewer { username } }';

type AnswerWithHeaders = Answer & { readonly headers: Headers };

/** Sends the same request many times at once. @returns the number of accepted requests */
async function flood(
  times: number,
  send: () => Promise<AnswerWithHeaders>,
): Promise<{ passed: number; refused: AnswerWithHeaders[] }> {
  const answers = await Promise.all(Array.from({ length: times }, send));
  const refused = answers.filter((answer) => codesOf(answer).includes('RATE_LIMITED'));
  return { passed: times - refused.length, refused };
}

/** Another API process of the same deployment. */
async function secondNode({ app }: Pick<Awaited<ReturnType<typeof startSystem>>, 'app'>): Promise<string> {
  const other = await createApp(app.config, app.logger);
  const server = await startApi(other);
  onTestFinished(async () => {
    await server.close();
    await other.close();
  });
  return server.url;
}

/** Tells whether a WebSocket was opened, or the status of its refusal. */
function openWebSocket(url: string): Promise<{ status: number; retryAfter?: string }> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws');
    socket.on('open', () => resolve({ status: 101 }));
    socket.on('unexpected-response', (_request, response) => {
      resolve({ status: response.statusCode!, retryAfter: response.headers['retry-after'] });
      response.destroy();
    });
    socket.on('error', () => undefined);
    onTestFinished(() => socket.terminate());
  });
}

describe('requests of one user', () => {
  test('are counted in portions when the limit is high, and still accepted exactly up to it', async () => {
    const portioned = 2_000;
    const system = await startSystem({
      worker: false,
      environment: { ...limits, RATE_LIMIT_USER_PER_MINUTE: String(portioned) },
    });
    const token = await system.token('CLINICIAN');
    const monitor = await monitorRedis(system.app.config.redisUrl!);
    onTestFinished(() => monitor.close());
    // One after the other: requests that arrive together are counted together in any case.
    for (let sent = 0; sent < 10; sent += 1) expect((await postTo(system.url, token)).status).toBe(200);
    const counts = monitor.commands().match(/"evalsha"[^\r\n]*:rate:user:/gi) ?? [];
    expect(counts.length).toBeGreaterThan(0);
    expect(counts.length).toBeLessThanOrEqual(5);
    let passed = 10;
    for (let round = 0; round < 41; round += 1) passed += (await flood(50, () => postTo(system.url, token))).passed;
    expect(passed).toBe(portioned);
  });

  // Shows: owasp/rate-limits
  test('are accepted exactly up to the limit on all nodes together, then refused with a time to wait', async () => {
    const system = await startSystem({ worker: false, environment: limits });
    const nodes = [system.url, await secondNode(system)];
    const token = await system.token('CLINICIAN');
    let turn = 0;
    const { passed, refused } = await flood(perUser + 20, () => postTo(nodes[turn++ % 2]!, token));
    expect(passed).toBe(perUser);
    for (const answer of refused) {
      expect(answer.status).toBe(429);
      const [error] = answer.errors!;
      const { retryAfterSeconds } = error!.extensions!;
      expect(retryAfterSeconds).toBeGreaterThanOrEqual(1);
      expect(retryAfterSeconds).toBeLessThanOrEqual(60);
      expect(error!.message).toBe(
        `Too many requests of this user or key, at most ${perUser} per minute: try again in ${retryAfterSeconds} s.`,
      );
      expect(answer.headers.get('retry-after')).toBe(String(retryAfterSeconds));
    }
    // Another role and another organization have limits of their own.
    expect(codesOf(await postTo(system.url, await system.token('SERVICE')))).toEqual([]);
    expect(codesOf(await postTo(system.url, await system.token('CLINICIAN', 'beta')))).toEqual([]);
    // Health checks of the process are not counted either.
    for (const path of ['/health', '/health/live', '/health/ready', '/metrics'])
      expect((await fetch(`${system.url}${path}`)).status).not.toBe(429);
  });

  // Shows: owasp/rate-limits
  test('subscriptions count among them', async () => {
    const system = await startSystem({ worker: false, environment: limits });
    const socket = await connectSocket(system.url, await system.token('CLINICIAN'));
    // The first counted request was the socket itself.
    for (let number = 1; number <= perUser; number++) {
      socket.send({
        type: 'subscribe',
        id: String(number),
        payload: { query: 'subscription { scoringJobUpdated(id: "aaaaaaaaaaaaaaaaaaaaaaaa") { sequence } }' },
      });
      const message = await socket.next();
      expect(message).toMatchObject({
        type: 'error',
        payload: [{ extensions: { code: number < perUser ? 'NOT_FOUND' : 'RATE_LIMITED' } }],
      });
      if (number === perUser)
        expect(message).toMatchObject({ payload: [{ extensions: { retryAfterSeconds: expect.any(Number) } }] });
    }
  });
});

describe('requests without a valid credential', () => {
  // Shows: owasp/rate-limits
  test('are counted by address: without a token, with a bad token, and to open a WebSocket', async () => {
    const system = await startSystem({ worker: false, environment: limits });
    const token = await system.token('CLINICIAN');
    expect((await flood(5, () => postTo(system.url))).passed).toBe(5);
    expect((await flood(5, () => postTo(system.url, 'a.b.c'))).passed).toBe(5);
    for (let number = 0; number < perAddress - 10; number++)
      expect(await openWebSocket(system.url)).toEqual({ status: 101 });
    expect(await openWebSocket(system.url)).toEqual({ status: 429, retryAfter: expect.stringMatching(/^\d+$/) });
    expect(codesOf(await postTo(system.url))).toEqual(['RATE_LIMITED']);
    expect(codesOf(await postTo(system.url, 'another.bad.one'))).toEqual(['RATE_LIMITED']);
    expect((await fetch(`${system.url}/graphql`, { headers: { accept: 'text/html' } })).status).toBe(429);
    // A caller with a token is not blocked by others at the same address.
    expect(codesOf(await postTo(system.url, token))).toEqual([]);
  });

  test('do not include sockets with a token: those are counted for their user', async () => {
    const system = await startSystem({ worker: false, environment: limits });
    const token = await system.token('CLINICIAN');
    for (let number = 0; number < perUser; number++) {
      const socket = await connectSocket(system.url, token);
      socket.close();
    }
    const oneMore = await openSocket(system.url);
    oneMore.send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
    expect(await oneMore.closed).toEqual({ code: 1013, reason: 'Too many requests: try again in a minute' });
    expect(codesOf(await postTo(system.url, token))).toEqual(['RATE_LIMITED']);
  });

  // Shows: owasp/rate-limits
  test('are counted before a key is looked up: guessed API keys cost no more look-ups than the limit', async () => {
    const system = await startSystem({ worker: false, environment: limits });
    const admin = await system.token('ADMIN');
    const created = await postTo(
      system.url,
      admin,
      'mutation { createApiKey(input: { name: "lab", scopes: ["model:read"] }) { key } }',
    );
    expect(codesOf(created)).toEqual([]);
    const { key } = (created.data as { createApiKey: { key: string } }).createApiKey;
    expect(codesOf(await postTo(system.url, key))).not.toContain('UNAUTHENTICATED');
    let lookUps = 0;
    const { collection } = system.app.models.apiKeys;
    const findOne = collection.findOne.bind(collection);
    collection.findOne = ((...given: Parameters<typeof findOne>) => {
      lookUps += 1;
      return findOne(...given);
    }) as typeof findOne;
    onTestFinished(() => void (collection.findOne = findOne));
    const guesses = Array.from({ length: 3 * perAddress }, (_, number) =>
      key.replace(/_[0-9a-f]{24}/, `_${number.toString(16).padStart(24, '0')}`),
    );
    const answers = await Promise.all(guesses.map((guess) => postTo(system.url, guess)));
    expect(answers.flatMap(codesOf).filter((code) => code === 'UNAUTHENTICATED')).toHaveLength(perAddress);
    expect(lookUps).toBe(perAddress);
    // A key that the server knows is not refused for its neighbours.
    expect(codesOf(await postTo(system.url, key))).not.toContain('RATE_LIMITED');
  });

  // Shows: owasp/rate-limits
  test('of one IPv6 network count as one caller', () => {
    expect(addressBlock('2001:db8:0:1::1')).toBe(addressBlock('2001:DB8::1:ffff:0:0:2'));
    expect(addressBlock('2001:db8:0:1::1')).not.toBe(addressBlock('2001:db8:0:2::1'));
    expect(addressBlock('::1')).not.toBe(addressBlock('fe80::1%eth0'));
    expect(addressBlock('::ffff:192.0.2.7')).toBe(addressBlock('192.0.2.7'));
    expect(addressBlock('192.0.2.7')).not.toBe(addressBlock('192.0.2.8'));
  });
});

test('the counters in Redis do not name the callers that they count', async () => {
  const system = await startSystem({ worker: false, environment: limits });
  await postTo(system.url, await system.token('CLINICIAN'));
  await postTo(system.url);
  const redis = new Redis(system.app.config.redisUrl!);
  onTestFinished(() => redis.disconnect());
  const keys = await redis.keys(`${system.app.config.redisPrefix}:rate:*`);
  expect(keys).toHaveLength(2);
  const organizationId = await system.organizationId();
  for (const key of keys) {
    expect(key).toMatch(/:rate:(?:user|address):[\w-]{22}$/);
    for (const readable of ['clinician', organizationId, '127.0.0.1']) expect(key).not.toContain(readable);
    expect(await redis.ttl(key)).toBeLessThanOrEqual(60);
    expect(await redis.ttl(key)).toBeGreaterThan(0);
  }
});

test('the first request of a process is counted in Redis too, even if Redis answers slowly', async () => {
  const redis = await proxyTo(namespace().redisUrl, 100);
  onTestFinished(() => redis.close());
  const system = await startSystem({ worker: false, environment: { ...limits, REDIS_URL: redis.url } });
  await postTo(system.url);
  const counters = new Redis(namespace().redisUrl);
  onTestFinished(() => counters.disconnect());
  expect(await counters.keys(`${system.app.config.redisPrefix}:rate:*`)).toHaveLength(1);
});

test('a limit of a resolver is reported in the same way', async () => {
  const { app } = await startSystem({ worker: false });
  const login = {
    type: GraphQLString,
    resolve: () => {
      throw new RateLimitedError('Too many log-ins of this account: try again in 7 s.', 7);
    },
  };
  const schema = new GraphQLSchema({ query: new GraphQLObjectType({ name: 'Query', fields: { login } }) });
  const server = await startHttpServer({
    schema,
    app,
    jobStreams: createJobStreams(app),
    predictionStreams: createPredictionStreams(app),
  });
  onTestFinished(() => server.close());
  const answer = await postTo(server.url, undefined, '{ login }');
  expect(answer.status).toBe(429);
  expect(answer.headers.get('retry-after')).toBe('7');
  expect(answer.errors).toMatchObject([
    {
      message: 'Too many log-ins of this account: try again in 7 s.',
      extensions: { code: 'RATE_LIMITED', retryAfterSeconds: 7 },
    },
  ]);
});

// Shows: owasp/application-timeout
test('while Redis is away requests neither wait nor fail, and each node limits them on its own', async () => {
  const engines = await startEngines({ dataDirectory: await temporaryDirectory(), mongoUri: 'mongodb://unused' });
  onTestFinished(() => engines.stop());
  const system = await startSystem({ worker: false, environment: { ...limits, REDIS_URL: engines.redisUrl } });
  const token = await system.token('CLINICIAN');
  expect(codesOf(await postTo(system.url, token))).toEqual([]);
  await engines.stop();
  expect((await flood(perUser + 20, () => postTo(system.url, token))).passed).toBe(perUser);
  expect((await flood(perAddress + 20, () => postTo(system.url))).passed).toBe(perAddress);
});

// Shows: owasp/application-timeout
test('requests do not wait for a Redis that accepts connections but does not answer', async () => {
  const redis = await startRedis(await temporaryDirectory());
  onTestFinished(() => redis.stop());
  const system = await startSystem({ worker: false, environment: { ...limits, REDIS_URL: redis.url } });
  const token = await system.token('CLINICIAN');
  expect(codesOf(await postTo(system.url, token))).toEqual([]);
  process.kill(redis.pid, 'SIGSTOP');
  onTestFinished(() => void process.kill(redis.pid, 'SIGCONT'));
  expect((await flood(5, () => postTo(system.url, token))).passed).toBe(5);
  expect((await flood(5, () => postTo(system.url))).passed).toBe(5);
});

/** The whole answer, with its headers. */
async function postTo(url: string, token?: string, query = whoAmI): Promise<AnswerWithHeaders> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, ...(JSON.parse(text) as object) };
}
