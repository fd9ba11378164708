/** Covers src/http/operations.ts, src/http/cost-budget.ts, src/http/answer-bytes.ts, src/http/fair-turns.ts. */
// Threat: a reader asks for answers that are dear to make, until others are not served any more.

import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startApi } from '../../src/api.js';
import { createApp } from '../../src/app.js';
import { startEngines } from '../../src/embedded/engines.js';
import { scored } from '../support/scenario.js';
import { connectSocket } from '../support/raw-socket.js';
import { codesOf, postBody, startSystem, type Answer, type System } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const waterfalls = 'edges { node { explanation { waterfall } } }';
const aliases = (count: number): string =>
  `{ ${Array.from({ length: count }, (_, index) => `a${index}: predictions(first: 500) { ${waterfalls} }`).join(' ')} }`;
const whoAmI = '{ viewer { username } }';
/** Cost of `whoAmI`: 100 for a field of a query, and one for each of its two fields. */
const costOfWhoAmI = 102;

/** Sends the same query many times at once. */
const flood = (times: number, send: (index: number) => Promise<Answer>): Promise<Answer[]> =>
  Promise.all(Array.from({ length: times }, (_, index) => send(index)));
const passed = (answers: readonly Answer[]): number => answers.filter((answer) => codesOf(answer).length === 0).length;

// Shows: owasp/query-cost
test('nine aliases of a page of waterfalls are refused, over HTTP and in a subscription', async () => {
  const system = await startSystem({ worker: false });
  const token = await system.token('CLINICIAN');
  const refused = await system.post(aliases(9), undefined, token);
  expect(refused.status).toBe(400);
  expect(refused.errors).toMatchObject([
    {
      message: expect.stringMatching(/^The query costs \d+ units, and the limit is 500000: lower "first"/),
      extensions: { code: 'QUERY_TOO_COMPLEX' },
    },
  ]);
  expect(codesOf(await system.post(aliases(2), undefined, token))).toEqual(['QUERY_TOO_COMPLEX']);
  expect(codesOf(await system.post(aliases(1), undefined, token))).toEqual([]);
  const socket = await connectSocket(system.url, token);
  const nested = `a: predictions(first: 500) { ${waterfalls} } b: predictions(first: 500) { ${waterfalls} }`;
  const query = `subscription { predictionCreated { patient { ${nested} } } }`;
  socket.send({ type: 'subscribe', id: '1', payload: { query } });
  expect(await socket.next()).toMatchObject({
    type: 'error',
    payload: [{ extensions: { code: 'QUERY_TOO_COMPLEX' } }],
  });
});

test('a long alias is charged in every row', async () => {
  const system = await startSystem({ worker: false });
  const query = `{ predictions(first: 500) { edges { node { ${'a'.repeat(50_000)}: id } } } }`;
  expect(codesOf(await system.post(query, undefined, await system.token('CLINICIAN')))).toEqual(['QUERY_TOO_COMPLEX']);
});

describe('the budget of a minute', () => {
  const operations = 50;
  const environment = { RATE_LIMIT_COST_PER_MINUTE: String(operations * costOfWhoAmI) };

  // Shows: owasp/query-cost, owasp/rate-limits
  test('admits exactly what it covers, on all nodes together, and tells the time to wait', async () => {
    const system = await startSystem({ worker: false, environment });
    const other = await createApp(system.app.config, system.app.logger);
    const second = await startApi(other);
    onTestFinished(async () => {
      await second.close();
      await other.close();
    });
    const token = await system.token('CLINICIAN');
    const nodes = [system.url, second.url];
    const body = JSON.stringify({ query: whoAmI });
    const answers = await flood(operations + 30, (index) => postBody(nodes[index % 2]!, body, token));
    expect(passed(answers)).toBe(operations);
    for (const { status, errors } of answers.filter((answer) => codesOf(answer).length > 0)) {
      expect(status).toBe(429);
      expect(errors).toMatchObject([
        {
          message: expect.stringMatching(
            /cost too much, at most 5100 per minute: ask for fewer rows or fields, or try/,
          ),
          extensions: { code: 'RATE_LIMITED', retryAfterSeconds: expect.any(Number) },
        },
      ]);
    }
    // Users of the same and of another organization have budgets of their own.
    expect(codesOf(await system.post(whoAmI, undefined, await system.token('SERVICE')))).toEqual([]);
    expect(codesOf(await system.post(whoAmI, undefined, await system.token('CLINICIAN', 'beta')))).toEqual([]);
  });

  test('is counted by each node on its own while Redis is away', async () => {
    const engines = await startEngines({ dataDirectory: await temporaryDirectory(), mongoUri: 'mongodb://unused' });
    onTestFinished(() => engines.stop());
    const system = await startSystem({ worker: false, environment: { ...environment, REDIS_URL: engines.redisUrl } });
    const token = await system.token('CLINICIAN');
    await engines.stop();
    expect(passed(await flood(operations + 30, () => system.post(whoAmI, undefined, token)))).toBe(operations);
  });
});

describe('limits of answers and events', () => {
  const environment = { ANSWER_BYTES: '20000', EVENT_BYTES: '5000', RATE_LIMIT_COST_PER_MINUTE: '50000' };
  let system: System;
  beforeAll(async () => {
    system = await startSystem({ environment });
    const client = await system.client('CLINICIAN');
    await scored(client);
    await scored(client);
  });

  // Shows: owasp/query-cost
  test('an answer that grows too long is broken off with an error that names the limit', async () => {
    const token = await system.token('SERVICE');
    const one = await system.post<object>(`{ predictions(first: 1) { ${waterfalls} } }`, undefined, token);
    expect(codesOf(one)).toEqual([]);
    const pages = [1, 2, 3].map((page) => `page${page}: predictions(first: 2) { ${waterfalls} }`);
    const six = await system.post<object>(`{ ${pages.join(' ')} }`, undefined, token);
    expect(six.status).toBe(400);
    expect(six.data).toBeUndefined();
    expect(six.errors).toMatchObject([
      {
        message: 'The answer has more than 20000 bytes, which is the limit: lower "first", or ask for fewer fields.',
        extensions: { code: 'QUERY_TOO_COMPLEX' },
      },
    ]);
  });

  test('an event that grows too long is replaced by the error, and the subscription ends when its budget does', async () => {
    const socket = await connectSocket(system.url, await system.token('SERVICE'));
    const fields = `probability explanation { waterfall } patient { predictions(first: 400) { edges { cursor } } }`;
    const query = `subscription { predictionCreated { ${fields} } }`;
    socket.send({ type: 'subscribe', id: '1', payload: { query } });
    socket.send({ type: 'subscribe', id: 'marker', payload: { query: 'subscription { nothing }' } });
    expect(await socket.next()).toMatchObject({ id: 'marker' });
    const clinician = await system.client('CLINICIAN');
    // Each event costs about 18,000 of the 50,000.
    for (let event = 1; event <= 2; event += 1) {
      await scored(clinician);
      expect(await socket.next()).toMatchObject({
        type: 'next',
        payload: {
          errors: [
            {
              message: expect.stringMatching(/^One event has more than 5000 bytes, which is the limit/),
              extensions: { code: 'QUERY_TOO_COMPLEX' },
            },
          ],
        },
      });
    }
    await scored(clinician);
    expect(await socket.next()).toMatchObject({
      type: 'error',
      payload: [{ extensions: { code: 'RATE_LIMITED', retryAfterSeconds: expect.any(Number) } }],
    });
  });
});

// Shows: owasp/system-resources
test('a user has only so many operations under way, and other users are not refused', async () => {
  const system = await startSystem({ worker: false, environment: { OPERATIONS_PER_USER: '3' } });
  const [attacker, other] = [await system.token('CLINICIAN'), await system.token('CLINICIAN', 'beta')];
  const query = aliases(1);
  const [answers, others] = await Promise.all([
    flood(40, () => system.post(query, undefined, attacker)),
    flood(3, () => system.post(query, undefined, other)),
  ]);
  expect(passed(answers)).toBeGreaterThanOrEqual(3);
  const refused = answers.filter((answer) => codesOf(answer).length > 0);
  expect(refused.length).toBeGreaterThan(0);
  for (const { status, errors } of refused) {
    expect(status).toBe(429);
    expect(errors).toMatchObject([
      {
        message: 'This user has 3 operations under way on this server, which is the limit: send fewer at a time.',
        extensions: { code: 'RATE_LIMITED', retryAfterSeconds: 1 },
      },
    ]);
  }
  expect(passed(others)).toBe(3);
});
