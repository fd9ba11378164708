/** Covers src/http/accept-many.ts, src/http/connections.ts, src/http/places.ts. */
// Threat: a crowd of new connections makes the connection of another client wait, or takes its place.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { acceptMany } from '../../src/http/accept-many.js';
import { watchConnections } from '../../src/http/connections.js';
import { createPlaces } from '../../src/http/places.js';
import { createRequestSources } from '../../src/http/request-source.js';
import { createLogger } from '../../src/process/logger.js';
import { connectSocket } from '../support/raw-socket.js';
import { codesOf, startSystem } from '../support/system.js';

const logger = createLogger('silent', 'test');
const crowd = 64;

async function listening(server = createServer((_request, response) => response.end('served'))): Promise<Server> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}
const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** Connects a crowd from a thread. This thread, the one of the server, does nothing until all of them wait. */
function connectCrowd(port: number): void {
  const connected = new Int32Array(new SharedArrayBuffer(4));
  const client = new Worker(
    `const { workerData: { port, crowd, connected } } = require('node:worker_threads');
     for (let n = 0; n < crowd; n += 1)
       require('node:net').connect(port, '127.0.0.1', () => {
         if (Atomics.add(connected, 0, 1) === crowd - 1) Atomics.notify(connected, 0);
       }).on('error', () => undefined);`,
    { eval: true, workerData: { port, crowd, connected } },
  );
  onTestFinished(async () => void (await client.terminate()));
  for (let count = 0; count < crowd; count = Atomics.load(connected, 0)) Atomics.wait(connected, 0, count);
}

/** Turns of the event loop until the server has accepted the whole crowd. */
async function turnsToAccept(server: Server): Promise<number> {
  let accepted = 0;
  let turns = 0;
  server.on('connection', () => (accepted += 1));
  for (connectCrowd(portOf(server)); accepted < crowd; turns += 1)
    await new Promise((resolve) => setImmediate(resolve));
  return turns;
}

// Shows: owasp/system-resources
test('a crowd of connections is accepted in a few turns of the event loop', async () => {
  const server = await listening();
  const copies = await acceptMany(server, 15, logger);
  onTestFinished(() => copies.stop());
  expect(await turnsToAccept(server)).toBeLessThan(crowd / 4);
});

test('requests that come while the listening socket is copied are answered, whichever process accepts them', async () => {
  const server = await listening();
  const client = new Worker(
    `const { parentPort, workerData: { port } } = require('node:worker_threads');
     let [sent, answered, more] = [0, 0, true];
     parentPort.once('message', () => (more = false));
     const next = () => {
       if (!more && answered === sent) return parentPort.postMessage(answered);
       if (more) {
         sent += 1;
         const socket = require('node:net').connect(port, '127.0.0.1');
         socket.write('GET / HTTP/1.1\\r\\nhost: here\\r\\nconnection: close\\r\\n\\r\\n');
         socket.once('data', () => (answered += 1)).on('error', () => undefined);
       }
       setTimeout(next, 1);
     };
     next();`,
    { eval: true, workerData: { port: portOf(server) } },
  );
  onTestFinished(async () => void (await client.terminate()));
  let isCopied = false;
  const copying = acceptMany(server, 15, logger).finally(() => (isCopied = true));
  // While this thread stands still, the helper gets all connections.
  const clock = new Int32Array(new SharedArrayBuffer(4));
  while (!isCopied) {
    Atomics.wait(clock, 0, 0, 20);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const copies = await copying;
  onTestFinished(() => copies.stop());
  client.postMessage('enough');
  const [answered] = (await once(client, 'message')) as [number];
  expect(answered).toBeGreaterThan(0);
});

test('a server that cannot copy its listening socket still serves', async () => {
  const server = createServer((_request, response) => response.end('served'));
  const warnings: string[] = [];
  const warned = pino({}, { write: (line: string) => void warnings.push(line) });
  // It does not listen yet, so it has no socket to send.
  const copies = await acceptMany(server, 15, warned);
  expect(warnings.join()).toContain('the listening socket could not be copied');
  copies.stop();
  await copies.ended();
  await listening(server);
  expect(await (await fetch(`http://127.0.0.1:${portOf(server)}`)).text()).toBe('served');
});

test('an API with several listening sockets serves requests and sockets through each of them, and closes', async () => {
  const system = await startSystem({ worker: false, environment: { LISTENING_SOCKETS: '8' } });
  const token = await system.token('CLINICIAN');
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => system.post('{ viewer { username } }', undefined, token)),
  );
  expect(answers.flatMap(codesOf)).toEqual([]);
  const sockets = await Promise.all(Array.from({ length: 20 }, () => connectSocket(system.url, token)));
  for (const socket of sockets) {
    socket.send({ type: 'subscribe', id: '1', payload: { query: 'subscription { nothing }' } });
    expect(await socket.next()).toMatchObject({ type: 'error', id: '1' });
  }
  await system.server.close();
  await expect(fetch(`${system.url}/health`)).rejects.toThrow();
});

test('a server that stops waits for the requests of each listening socket', async () => {
  const answers: (() => void)[] = [];
  const server = await listening(createServer((_request, response) => answers.push(() => response.end('served'))));
  const copies = await acceptMany(server, 7, logger);
  const requests = Array.from({ length: 20 }, () => fetch(`http://127.0.0.1:${portOf(server)}`));
  await expect.poll(() => answers.length).toBe(20);
  copies.stop();
  server.close();
  let hasEnded = false;
  const ended = copies.ended().then(() => (hasEnded = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(hasEnded).toBe(false);
  answers.forEach((answer) => answer());
  for (const request of requests) expect(await (await request).text()).toBe('served');
  server.closeIdleConnections();
  await ended;
});

// Shows: owasp/system-resources
test('a connection above the limit of all connections is ended at once, and the others stay', async () => {
  const server = await listening();
  const unlimited = { unprovenPerAddress: 99, unproven: 99, perUser: 99, perOrganization: 99, proven: 99 };
  watchConnections(server, { places: createPlaces(unlimited), most: 3, sources: createRequestSources([]) });
  const open = async (): Promise<Socket> => {
    const socket = connect(portOf(server), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  const [first] = [await open(), await open(), await open()];
  const fourth = await open();
  await once(fourth.resume(), 'close');
  first.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect((await first.toArray()).join('')).toContain('served');
  const fifth = await open();
  fifth.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect((await fifth.toArray()).join('')).toContain('served');
});

// Shows: owasp/system-resources
test('a crowd from some addresses never ends the only connection of another address', () => {
  const places = createPlaces({ unprovenPerAddress: 10, unproven: 6, perUser: 1, perOrganization: 1, proven: 1 });
  const ended: string[] = [];
  const enter = (address: string): void => places.enter({ end: () => ended.push(address) }, address);
  enter('192.0.2.1');
  for (let count = 0; count < 20; count += 1) enter(`198.51.100.${1 + (count % 2)}`);
  enter('192.0.2.2');
  expect(ended).toHaveLength(16);
  expect(ended.filter((address) => address.startsWith('192.'))).toEqual([]);
});
