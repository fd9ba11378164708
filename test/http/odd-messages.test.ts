import { makeServer } from 'graphql-ws';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { createUnread } from '../../src/http/socket-limits.js';
import { createWrittenEvents } from '../../src/http/written-events.js';
import { carrySocket, type SocketExtra } from '../../src/http/socket-transport.js';
import { createLogger } from '../../src/process/logger.js';
import { connectSocket, openSocket } from '../support/raw-socket.js';
import { startSystem } from '../support/system.js';

// The own adapter of graphql-ws writes messages to the console. Console output fails a test: see
// test/support/no-console.ts.

const canary = 'Xylophone-Quince';
const log: string[] = [];
const logger = Object.assign(createLogger('trace', 'test'), {
  [pino.symbols.streamSym]: { write: (line: string) => log.push(line) },
});
const system = await startSystem({ worker: false, logger });
const token = await system.token('CLINICIAN');
const stream = 'subscription { predictionCreated { id } }';

afterEach(() => {
  expect(log.join('')).not.toContain(canary);
});

describe('a message that no client sends', () => {
  test.each<[string, string]>([
    ['no JSON', canary],
    ['no object', `["${canary}"]`],
    ['a type that there is not', `{"type":"${canary}"}`],
    ['a subscription without a document', `{"type":"subscribe","id":"1","payload":{"variables":{"mrn":"${canary}"}}}`],
    ['variables that are a text', `{"type":"subscribe","id":"1","payload":{"query":"{ a }","variables":"${canary}"}}`],
    ['an acknowledgement', `{"type":"connection_ack","payload":{"mrn":"${canary}"}}`],
    ['an event', `{"type":"next","id":"1","payload":{"data":{"mrn":"${canary}"}}}`],
    ['errors', `{"type":"error","id":"1","payload":[{"message":"${canary}"}]}`],
  ])('closes the socket with 4400: %s', async (_name, message) => {
    const socket = await connectSocket(system.url, token);
    socket.send(message);
    expect(await socket.closed).toEqual({ code: 4400, reason: 'Invalid message received' });
  });

  test('also closes a socket that was not acknowledged yet', async () => {
    const socket = await openSocket(system.url);
    socket.send({ type: 'next', id: '1', payload: { data: { mrn: canary } } });
    expect((await socket.closed).code).toBe(4400);
  });
});

test('an id in use closes the socket with 4409, however long the id is', async () => {
  const socket = await connectSocket(system.url, token);
  const id = canary.repeat(1_000);
  for (let time = 0; time < 2; time++) socket.send({ type: 'subscribe', id, payload: { query: stream } });
  expect(await socket.closed).toEqual({ code: 4409, reason: '' });
});

test('an unexpected error closes the socket with 4500, and neither the answer nor the log holds its text', async () => {
  const server = makeServer<Record<string, unknown>, SocketExtra>({
    onConnect: () => true,
    onPing() {
      throw new TypeError(canary);
    },
    onClose: () => Promise.reject(new RangeError(canary)),
  });
  const sockets = new WebSocketServer({ port: 0, path: '/graphql' });
  onTestFinished(() => sockets.close());
  await once(sockets, 'listening');
  sockets.on('connection', (socket, { socket: stream }) => {
    const place = { end: () => undefined };
    carrySocket(
      server,
      { socket, stream, requestId: 'a', address: '::1', place },
      { unread: createUnread(), written: createWrittenEvents(), logger },
    );
  });
  const socket = await connectSocket(`http://127.0.0.1:${(sockets.address() as AddressInfo).port}`);
  socket.send({ type: 'ping', payload: { mrn: canary } });
  expect(await socket.closed).toEqual({ code: 4500, reason: 'Internal server error' });
  await expect.poll(() => log.join('')).toContain('end of a WebSocket');
  expect(log.join('')).toContain('message on a WebSocket');
});
