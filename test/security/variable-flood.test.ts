/** Covers src/input.ts, src/http/coercion-error.ts. */
// Threat: a small document has huge variables: endless lists or nesting, or extreme numbers.

import { beforeAll, describe, expect, test } from 'vitest';
import type { Role } from '../../models/index.js';
import { startSystem } from '../support/system.js';
import { codesOfReply, isForSubscriptions, transports } from '../support/transports.js';

const system = await startSystem({ worker: false });
const someId = 'aaaaaaaaaaaaaaaaaaaaaaaa';
let token = '';
beforeAll(async () => {
  token = await system.token('CLINICIAN');
});

describe.each(transports.filter(([name]) => name !== 'HTTP GET'))('over %s', (transport, send) => {
  const isSocket = isForSubscriptions(transport);
  const ofId = isSocket
    ? 'subscription ($value: ID!) { scoringJobUpdated(id: $value) { sequence } }'
    : 'query ($value: ID!) { scoringJob(id: $value) { id } }';
  const ofPage = (
    isSocket
      ? /* GraphQL */ `
          subscription ($value: Int) {
            scoringJobUpdated(id: "ID") {
              job {
                predictions(first: $value) {
                  totalCount
                }
              }
            }
          }
        `
      : 'query ($value: Int) { predictions(first: $value) { totalCount } }'
  ).replace('ID', someId);

  test.each<[string, unknown]>([
    ['a list of as many as a message holds', Array<number>(isSocket ? 30_000 : 2_000_000).fill(0)],
    [
      'an object of as many fields',
      Object.fromEntries(Array.from({ length: isSocket ? 5_000 : 200_000 }, (_, index) => [`k${index}`, 0])),
    ],
  ])('%s in place of an id is refused, and not repeated', async (_name, value) => {
    const reply = await send(system, { query: ofId, variables: { value } }, token);
    expect(codesOfReply(reply)).toEqual(['BAD_USER_INPUT']);
    expect(reply.text.length).toBeLessThan(500);
  });

  // Shows: owasp/pagination
  test.each([-1, 2_147_483_648, -2_147_483_649, 1e300, 0.5, '5', true])('a page of %s is refused', async (value) => {
    const reply = await send(system, { query: ofPage, variables: { value } }, token);
    // The field refuses a page length outside its range. A job that does not exist is refused before that.
    expect(codesOfReply(reply)).toEqual([isSocket && value === -1 ? 'NOT_FOUND' : 'BAD_USER_INPUT']);
  });
});

// Shows: owasp/amount
test('variables nested half a million deep are refused, and the server continues', async () => {
  const depth = 500_000;
  const body =
    '{"query":"query ($value: ID!) { scoringJob(id: $value) { id } ' +
    `}","variables":{"value":${'['.repeat(depth)}${']'.repeat(depth)}}}`;
  const response = await fetch(`${system.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body,
  });
  expect(response.status).toBeLessThan(500);
  expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  expect((await system.post('{ viewer { username } }', undefined, token)).status).toBe(200);
});

/** As many values as a request can hold. MongoDB refuses a query with all of them, because it is too large. */
const repeated = (text: string): string[] =>
  Array<string>(Math.floor((4 * 1024 * 1024 - 1_000) / `${JSON.stringify(text)},`.length)).fill(text);

// Shows: owasp/amount
test.each<[string, `${Role}`, string, string]>([
  [
    'bands',
    'CLINICIAN',
    'LOW',
    'query ($value: [RiskBand!]) { list: predictions(filter: { riskBands: $value }) { totalCount } }',
  ],
  [
    'statuses',
    'CLINICIAN',
    'QUEUED',
    'query ($value: [ScoringJobState!]) { list: scoringJobs(filter: { states: $value }) { totalCount } }',
  ],
  [
    'actions',
    'ADMIN',
    '',
    'query ($value: [String!]) { list: auditEvents(filter: { actions: $value }) { totalCount } }',
  ],
])('a filter that repeats the same %s equals a filter that names it once', async (_name, role, text, query) => {
  const { data, errors } = await system.post(query, { value: repeated(text) }, await system.token(role));
  expect(errors).toBeUndefined();
  expect(data).toEqual({ list: { totalCount: 0 } });
});
