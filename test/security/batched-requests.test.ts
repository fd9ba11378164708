/** Covers src/http/apollo-plugins.ts, src/http/graphql-socket.ts. */
// Threat: a client sends many operations in one request, past the limits of each.

import { expect, test } from 'vitest';
import { connectSocket } from '../support/raw-socket.js';
import { codesOf, postBody, startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const token = await system.token('CLINICIAN');
const create = (mrn: string) => ({ query: `mutation { createPatient(input: { mrn: "${mrn}" }) { id } }` });

// Shows: owasp/operation-lists
test('many operations in one request are refused, and none runs', async () => {
  const before = await system.counts();
  for (const batch of [[create('a'), create('b')], [create('a')], []]) {
    const answer = await postBody(system.url, JSON.stringify(batch), token);
    expect(answer.status).toBe(400);
    expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
  }
  expect(await system.counts()).toEqual(before);
});

// Shows: owasp/operation-lists
test('a list in place of a query, or of a message, is refused too', async () => {
  const answer = await postBody(system.url, JSON.stringify({ query: [create('a').query, create('b').query] }), token);
  expect(answer.status).toBe(400);
  expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
  const socket = await connectSocket(system.url, token);
  socket.send(
    JSON.stringify([{ type: 'subscribe', id: '1', payload: { query: 'subscription { predictionCreated { id } }' } }]),
  );
  expect((await socket.closed).code).toBe(4400);
});
