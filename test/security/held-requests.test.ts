/** Covers src/http/request-bodies.ts, src/http/held-documents.ts, src/http/subscription-admission.ts. */
// Threat: a reader asks for little with requests of many parts, which the server keeps as long as it works on them.

import { expect, test } from 'vitest';
import { Role } from '../../models/index.js';
import { createAccessTokens } from '../../src/identity/access-token.js';
import { startApiProcess } from '../support/api-process.js';
import { connectSocket } from '../support/raw-socket.js';
import { codesOf, postBody, startSystem, testSecretKey } from '../support/system.js';
import { multipartAccept } from '../support/transports.js';

const system = await startSystem({ worker: false });
const token = await system.token('CLINICIAN');
const subscription = 'subscription { predictionCreated { id } }';
/** An object takes about 20 times the memory of these bytes. */
const objects = (bytes: number): string =>
  `[${Array<string>(Math.floor(bytes / 3))
    .fill('{}')
    .join()}]`;

// Shows: owasp/amount
test('a body of more objects than any request needs is refused before it is parsed', async () => {
  const body = `{"query":"{ viewer { role } }","variables":{"unused":${objects(3_900_000)}}}`;
  const answer = await postBody(system.url, body, token);
  expect(answer.status).toBe(413);
  expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
  expect(answer.errors![0]!.message).toContain('more than 200000 objects and lists');
});

// Shows: owasp/amount
test.each(['text/event-stream', multipartAccept])('a stream of %s is not begun with a large body', async (accept) => {
  const response = await fetch(`${system.url}/graphql`, {
    method: 'POST',
    headers: { accept, 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: `{"query":"${subscription}","variables":{"unused":${objects(90_000)}}}`,
  });
  expect(response.status).toBe(413);
  expect(await response.text()).toContain('the most of a request for a stream of events');
});

// Shows: owasp/system-resources
test('variables that no subscription declares are not kept: 160 subscriptions with 60 KB of them leave the server alive', async () => {
  const api = await startApiProcess({ nodeOptions: ['--max-old-space-size=208', '--max-semi-space-size=1'] });
  const access = await createAccessTokens(testSecretKey).sign(
    { username: 'reader', role: Role.CLINICIAN, organizationId: 'a'.repeat(24) },
    3_600,
  );
  const variables = `{"unused":${objects(60_000)}}`;
  for (let opened = 0; opened < 4; opened += 1) {
    const socket = await connectSocket(api.url, access);
    for (let id = 0; id < 40; id += 1)
      socket.send(`{"type":"subscribe","id":"${id}","payload":{"query":"${subscription}","variables":${variables}}}`);
    socket.send({ type: 'subscribe', id: 'last', payload: { query: '{' } });
    expect(await socket.next()).toMatchObject({ type: 'error', id: 'last' });
  }
  expect((await fetch(`${api.url}/health/live`)).status).toBe(200);
});

// Shows: owasp/system-resources
test('the subscriptions of a user keep only so many different documents, and any number of the same', async () => {
  const socket = await connectSocket(system.url, token);
  const fields = 'id value '.repeat(200);
  const begin = (id: string, name: string): void =>
    socket.send({
      type: 'subscribe',
      id,
      payload: { query: `subscription ${name} { predictionCreated { ${fields} } }` },
    });
  // Each has about 1,850 characters, and a user may keep 262,144.
  for (let number = 0; number < 145; number += 1) begin(String(number), `name${number}`);
  expect(await socket.next()).toMatchObject({
    type: 'error',
    payload: [
      { extensions: { code: 'RATE_LIMITED' }, message: expect.stringContaining('too many different documents') },
    ],
  });
  const other = await connectSocket(system.url, await system.token('SERVICE'));
  for (let number = 0; number < 200; number += 1)
    other.send({ type: 'subscribe', id: String(number), payload: { query: subscription } });
  other.send({ type: 'subscribe', id: 'last', payload: { query: '{' } });
  expect(await other.next()).toMatchObject({ type: 'error', id: 'last' });
});
