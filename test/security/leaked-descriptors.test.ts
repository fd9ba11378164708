/** Covers src/http/upgrades.ts, src/http/request-errors.ts. */
// Threat: refused requests leave their sockets open in the server, until it has no descriptor for others.

import { expect, onTestFinished, test } from 'vitest';
import { startApiProcess } from '../support/api-process.js';
import { connectRaw, frame, upgradeRequest } from '../support/raw-frames.js';

const api = await startApiProcess();
const body = (text: string): string => `Content-Length: ${text.length}\r\n\r\n${text}`;
const post = (path: string, rest: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n${rest}`;

/** Requests that are refused, as a client without any library writes them. */
const refused: Readonly<Record<string, string>> = {
  'an upgrade at an address with a bad escape': upgradeRequest('/%zz'),
  'an upgrade below /graphql with a bad escape': upgradeRequest('/graphql/%ff'),
  'a POST with a bad escape that asks for an upgrade': upgradeRequest('/%zz', { 'Content-Length': '2' }, 'POST') + '{}',
  'an upgrade at an address that does not exist': upgradeRequest('/nothing'),
  'an upgrade of /health': upgradeRequest('/health'),
  'an upgrade of /metrics': upgradeRequest('/metrics'),
  'a POST to /graphql that asks for an upgrade': upgradeRequest('/graphql', { 'Content-Length': '2' }, 'POST') + '{}',
  'an upgrade with a body': upgradeRequest('/graphql', { 'Content-Length': '5' }) + 'hello',
  'an upgrade with a chunked body': upgradeRequest('/graphql', { 'Transfer-Encoding': 'chunked' }) + '5\r\nhello',
  'an upgrade to HTTP/2': upgradeRequest('/graphql', { Upgrade: 'h2c' }),
  'an upgrade of a foreign page': upgradeRequest('/graphql', { Origin: 'https://evil.example' }),
  'an upgrade without a key': upgradeRequest('/graphql', { 'Sec-WebSocket-Key': '' }),
  'an upgrade of another version': upgradeRequest('/graphql', { 'Sec-WebSocket-Version': '7' }),
  'an upgrade for a host that is none': upgradeRequest('/graphql', { Host: 'a b' }),
  'an upgrade without a host': upgradeRequest('/graphql').replace('Host: 127.0.0.1\r\n', ''),
  'a request for a tunnel': 'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n',
  'an expectation that the server does not meet': post(
    '/graphql',
    `Expect: miracle\r\nConnection: close\r\n${body('{}')}`,
  ),
  'a body that is larger than it may be': post('/graphql', 'Content-Length: 99999999\r\n\r\n{'),
  'a body of an address that does not exist': post('/nothing', 'Content-Length: 4000000\r\n\r\n{'),
  'bytes that are no HTTP': 'garbage\r\n\r\n',
  'a WebSocket that sends a broken frame': upgradeRequest() + frame('x', { opcode: 3 }).toString('latin1'),
};

// Shows: owasp/system-resources
test.each(Object.entries(refused))('%s leaves no descriptor open', async (_name, bytes) => {
  await connectRaw(api.url, 'GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n').then(
    ({ ended }) => ended,
  );
  const before = api.descriptors();
  const connections = await Promise.all(
    Array.from({ length: 20 }, () => connectRaw(api.url, Buffer.from(bytes, 'latin1'))),
  );
  onTestFinished(() => connections.forEach(({ socket }) => socket.destroy()));
  // The clients never end their side.
  await Promise.all(connections.map(({ ended }) => ended));
  await expect.poll(() => api.descriptors(), { timeout: 5_000 }).toBeLessThanOrEqual(before);
});

// Shows: owasp/system-resources
test.each([
  ['at once', ''],
  ['in the middle of a frame', frame('hello').subarray(0, 4).toString('latin1')],
])('a client that opens a WebSocket and ends its side %s leaves no descriptor open', async (_name, more) => {
  const before = api.descriptors();
  const connections = await Promise.all(Array.from({ length: 20 }, () => connectRaw(api.url, upgradeRequest() + more)));
  onTestFinished(() => connections.forEach(({ socket }) => socket.destroy()));
  for (const { socket } of connections) socket.end();
  // Before the server has ended its side too, it may not even have accepted the connection.
  await Promise.all(connections.map(({ ended }) => ended));
  await expect.poll(() => api.descriptors(), { timeout: 10_000 }).toBeLessThanOrEqual(before);
});

test('after all of these the server still serves', async () => {
  expect((await fetch(`${api.url}/health/ready`)).status).toBe(200);
});
