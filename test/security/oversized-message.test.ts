/** Covers src/http/server.ts, src/http/request-bodies.ts, src/http/socket-limits.ts. */
// Threat: a client sends messages so large that the process runs out of memory.

import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { connectRaw } from '../support/raw-frames.js';
import { connectSocket, openSocket } from '../support/raw-socket.js';
import { codesOf, postBody, startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const token = await system.token('CLINICIAN');
const limit = 4 * 1024 * 1024;
const padding = 'x'.repeat(limit);

describe('a request body above 4 MiB', () => {
  // Shows: owasp/amount
  test('is refused with 413, and changes nothing', async () => {
    const before = await system.counts();
    const answer = await postBody(
      system.url,
      JSON.stringify({ query: `mutation { createPatient(input: { mrn: "large" }) { id } } # ${padding}` }),
      token,
    );
    expect(answer.status).toBe(413);
    expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
    expect(answer.errors![0]!.message).toContain(`is larger than ${limit} bytes`);
    expect(await system.counts()).toEqual(before);
  });

  test('is refused by its announced length, before the server reads any of it', async () => {
    const { hostname, port, host } = new URL(system.url);
    const socket = connect(Number(port), hostname);
    const answered = new Promise<string>((resolve) => socket.setEncoding('utf8').once('data', resolve));
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\n\r\n`,
    );
    expect(await answered).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
  });

  test('is refused without an announced length too', async () => {
    const chunk = new TextEncoder().encode('x'.repeat(64 * 1024));
    let sent = 0;
    const endless = new ReadableStream({
      pull(controller) {
        sent += chunk.length;
        if (sent > 8 * limit) controller.close();
        else controller.enqueue(chunk);
      },
    });
    const status = await fetch(`${system.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: endless,
      duplex: 'half',
    } as RequestInit).then(
      (response) => response.status,
      // The server may close the connection before the client has sent everything.
      () => 413,
    );
    expect(status).toBe(413);
    expect(sent).toBeLessThan(8 * limit);
  });

  // Shows: owasp/amount
  test.each(['with its length', 'in chunks'])('is refused above 64 KiB when it has no token, %s', async (form) => {
    const body = JSON.stringify({ query: `{ viewer { role } } # ${'x'.repeat(70_000)}` });
    const chunks = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(body));
        controller.close();
      },
    });
    const response = await fetch(`${system.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: form === 'in chunks' ? chunks : body,
      duplex: 'half',
    } as RequestInit);
    expect(response.status).toBe(413);
    expect(await response.text()).toContain('the most of a request without a valid token');
  });

  // Shows: owasp/amount
  test('is refused while others of the same user are not answered yet, and accepted after them', async () => {
    const user = await system.token('ADMIN', 'gamma');
    const held = await Promise.all(
      Array.from({ length: 4 }, () =>
        connectRaw(
          system.url,
          `POST /graphql HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${user}\r\n` +
            `Content-Type: application/json\r\nContent-Length: ${limit}\r\n\r\n{`,
        ),
      ),
    );
    const large = JSON.stringify({ query: `{ viewer { role } } # ${'x'.repeat(100_000)}` });
    await expect.poll(async () => (await postBody(system.url, large, user)).status).toBe(429);
    // Another user is not refused for it, and neither is a small request of this one.
    expect((await postBody(system.url, large, token)).status).toBe(200);
    expect((await postBody(system.url, '{"query":"{ viewer { role } }"}', user)).status).toBe(200);
    for (const { socket } of held) socket.destroy();
    await expect.poll(async () => (await postBody(system.url, large, user)).status).toBe(200);
  });

  test('just below passes', async () => {
    const body = { query: '{ viewer { role } }', variables: { unused: 'x'.repeat(limit - 200) } };
    const answer = await postBody(system.url, JSON.stringify(body), token);
    expect(answer.data).toEqual({ viewer: { role: 'CLINICIAN' } });
  });

  // Shows: owasp/amount
  test('just below is refused when it is the text of a query, before it is parsed', async () => {
    const query = `{ viewer { role } } # ${'x'.repeat(limit - 200)}`;
    const answer = await postBody(system.url, JSON.stringify({ query }), token);
    expect(codesOf(answer)).toEqual(['QUERY_TOO_COMPLEX']);
    expect(answer.errors![0]!.message).toContain('and the limit is 128000');
  });
});

describe('a WebSocket message above 64 KiB', () => {
  const messageLimit = 64 * 1024;

  // Shows: owasp/amount
  test.each(['subscribe', 'ping'])('of type %s closes the socket', async (type) => {
    const socket = await connectSocket(system.url, token);
    socket.send({
      type,
      id: '1',
      payload: { query: `subscription { predictionCreated { id } } # ${padding.slice(0, messageLimit)}` },
    });
    expect((await socket.closed).code).toBe(1009);
  });

  test('with unused variables closes the socket too', async () => {
    const socket = await connectSocket(system.url, token);
    socket.send({
      type: 'subscribe',
      id: '1',
      payload: {
        query: 'subscription { predictionCreated { id } }',
        variables: { padding: padding.slice(0, messageLimit) },
      },
    });
    expect((await socket.closed).code).toBe(1009);
  });

  test('just below passes', async () => {
    const socket = await connectSocket(system.url, token);
    const query = 'subscription { scoringJobUpdated(id: "aaaaaaaaaaaaaaaaaaaaaaaa") { sequence } } # ';
    socket.send({
      type: 'subscribe',
      id: '1',
      payload: { query: query + padding.slice(0, messageLimit - query.length - 100) },
    });
    expect(await socket.next()).toMatchObject({ type: 'error', payload: [{ extensions: { code: 'NOT_FOUND' } }] });
  });

  // Shows: owasp/amount
  test('closes the socket also before the caller has given a credential', async () => {
    const socket = await openSocket(system.url);
    socket.send({ type: 'connection_init', payload: { authorization: padding } });
    expect((await socket.closed).code).toBe(1009);
  });
});

// Shows: owasp/request-smuggling
test('headers larger than a token needs are refused', async () => {
  const response = await fetch(`${system.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${'x'.repeat(20_000)}` },
    body: '{}',
  });
  expect(response.status).toBe(431);
});
