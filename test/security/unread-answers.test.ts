/** Covers src/http/unread-answers.ts, src/http/answer-bytes.ts. */
// Threat: a client asks for answers and does not read them, until the server has no memory left.

import fastify from 'fastify';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { RequestOrigin } from '../../src/auth/viewer.js';
import type { ApolloHandler } from '../../src/http/operation-timeout.js';
import { createOperations } from '../../src/http/operations.js';
import { countUnread } from '../../src/http/unread-answers.js';

const mebibyte = 2 ** 20;
/** Larger than the buffers of the operating system for one connection. */
const large = 24 * mebibyte;
/** Short enough not to be counted when its client reads. */
const small = 15 * 1024;

/** A server whose answers have the length that the address names. The callers are known by their addresses. */
async function startServer(): Promise<number> {
  const operations = createOperations({
    perUser: 99,
    costPerUser: 99,
    answerBytes: Infinity,
    eventBytes: Infinity,
    waitingPerUser: 3 * large,
    waitingPerNode: 6 * large,
  });
  const answer: ApolloHandler = async (request) => 'a'.repeat(Number(request.url.slice(1)));
  const server = fastify({ forceCloseConnections: true });
  server.decorateRequest('caller', null);
  server.addHook('onRequest', async (request) => {
    const origin: RequestOrigin = { requestId: request.id, address: request.socket.remoteAddress! };
    request.caller = { viewer: null, origin };
  });
  server.get(
    '/:length',
    countUnread(answer, operations, () => undefined),
  );
  await server.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close());
  return (server.server.address() as { port: number }).port;
}

/** A client that asks, and does not read until it is told to. */
async function ask(port: number, requests: string, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.pause().write(requests);
  return socket;
}
const get = (length: number, connection = 'close'): string =>
  `GET /${length} HTTP/1.1\r\nHost: a\r\nConnection: ${connection}\r\n\r\n`;

/** Bytes that a client gets when it reads at last. */
async function read(socket: Socket): Promise<number> {
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
  socket.resume();
  if (!socket.closed) await once(socket, 'close');
  return bytes;
}

// Shows: owasp/system-resources
test('of answers that a caller does not read, the oldest are cut off, and other callers get theirs', async () => {
  const port = await startServer();
  const stopped: Socket[] = [];
  for (let count = 0; count < 5; count += 1) {
    stopped.push(await ask(port, get(large)));
    // The server has made the answer when its first bytes are here.
    await once(stopped[count]!, 'readable');
  }
  const other = await ask(port, get(large), '127.0.0.2');
  expect(await read(other)).toBeGreaterThan(large);
  const got = await Promise.all(stopped.map(read));
  expect(got.map((bytes) => bytes > large)).toEqual([false, false, true, true, true]);
});

// Shows: owasp/system-resources
test('small answers count as well when they queue behind one that is not read', async () => {
  const port = await startServer();
  const requests = get(small, 'keep-alive').repeat(25);
  // Each holds a large answer, and behind it small ones: together more than the caller may leave unread.
  const stopped: Socket[] = [];
  for (let count = 0; count < 3; count += 1) {
    stopped.push(await ask(port, get(large, 'keep-alive') + requests + get(small)));
    await once(stopped[count]!, 'readable');
  }
  const got = await Promise.all(stopped.map(read));
  expect(got[0]).toBeLessThan(large);
  expect(got.slice(1).map((bytes) => bytes > large + 25 * small)).toEqual([true, true]);
});
