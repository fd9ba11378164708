/** Covers src/http/server.ts, src/http/graphql-socket.ts. */
// Threat: a message of a few kilobytes becomes hundreds of megabytes when the server unpacks it.

import { connect } from 'node:net';
import { gzipSync, deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const token = await system.token('CLINICIAN');
const bomb = JSON.stringify({ query: '{ viewer { username } }', variables: { padding: ' '.repeat(64 * 1024 * 1024) } });

describe('a compressed request body', () => {
  // Shows: owasp/amount
  test.each([
    ['gzip', gzipSync(bomb)],
    ['deflate', deflateRawSync(bomb)],
    ['gzip', gzipSync('{"query":"{ viewer { username } }"}')],
    ['br', Buffer.from('anything')],
  ])('in %s is refused as invalid JSON and never unpacked, however small it is', async (encoding, body) => {
    const response = await fetch(`${system.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': encoding, authorization: `Bearer ${token}` },
      body: new Uint8Array(body),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      errors: [{ extensions: { code: 'BAD_USER_INPUT', fields: [{ path: 'body' }] } }],
    });
  });
});

// Shows: owasp/amount
test('a WebSocket uses no compression, although the client offers it', async () => {
  const { hostname, port, host } = new URL(system.url);
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), hostname, () =>
      socket.write(
        [
          'GET /graphql HTTP/1.1',
          `Host: ${host}`,
          'Connection: Upgrade',
          'Upgrade: websocket',
          'Sec-WebSocket-Version: 13',
          'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
          'Sec-WebSocket-Protocol: graphql-transport-ws',
          'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
          '',
          '',
        ].join('\r\n'),
      ),
    );
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString('latin1'));
    });
    socket.once('error', reject);
  });
  expect(answer).toMatch(/^HTTP\/1\.1 101 /);
  expect(answer).not.toMatch(/sec-websocket-extensions/i);
});
