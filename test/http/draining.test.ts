import { once } from 'node:events';
import { Agent, request as send, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { startApi } from '../../src/api.js';
import { startServerProcess } from '../../src/commands/server-process.js';
import { openSocket } from '../support/raw-socket.js';
import { settingsFor, startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const authorization = `Bearer ${await system.token('CLINICIAN')}`;

/** Sends a query over a connection that stays open. @returns the status, and whether the answer ends the connection */
function ask(url: string, agent: Agent): Promise<{ status: number; connection: string | undefined }> {
  return new Promise((resolve, reject) => {
    const call = send(`${url}/graphql`, {
      agent,
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
    });
    call.on('response', (response: IncomingMessage) => {
      response.resume();
      response.on('end', () => resolve({ status: response.statusCode!, connection: response.headers.connection }));
    });
    call.on('error', reject);
    call.end('{"query":"{ patients(first: 50) { totalCount edges { node { id features { code } } } } }"}');
  });
}

test('a server that closes answers every request under way', async () => {
  const server = await startApi(system.app);
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  // The connections are open before the requests that count.
  await Promise.all(Array.from({ length: 40 }, () => ask(server.url, agent)));
  const answers = Array.from({ length: 40 }, () => ask(server.url, agent));
  await Promise.race(answers);
  const closed = server.close();
  for (const { status } of await Promise.all(answers)) expect(status).toBe(200);
  await closed;
});

test('a draining server is not ready, answers, ends each connection, and closes its sockets', async () => {
  const server = await startApi(system.app);
  onTestFinished(() => server.close());
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const socket = await openSocket(server.url);
  expect(await ask(server.url, agent)).toEqual({ status: 200, connection: 'keep-alive' });
  const hurry = new AbortController();
  const drained = server.drain(300, { hurry: hurry.signal });
  const ready = await fetch(`${server.url}/health/ready`);
  expect([ready.status, await ready.json()]).toEqual([503, { status: 'draining' }]);
  expect(await ask(server.url, agent)).toEqual({ status: 200, connection: 'close' });
  hurry.abort();
  await drained;
  await server.close();
  expect(await socket.closed).toMatchObject({ code: 1001 });
});

test('a draining server opens no WebSocket, and keeps the connections of a proxy until it listens no more', async () => {
  const { server, call } = await startBehindProxy();
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  await call(agent);
  const hurry = new AbortController();
  const drained = server.drain(300, { hurry: hurry.signal });
  expect(await statusOfUpgrade(server.url)).toBe(503);
  expect(await call(agent)).toEqual({ status: 200, connection: 'keep-alive' });
  hurry.abort();
  await drained;
  expect(await call(agent)).toEqual({ status: 200, connection: 'close' });
  // A proxy sends a request whose connection is refused to another server.
  await expect(call(agent)).rejects.toThrow('ECONNREFUSED');
});

test('a server that leaves its port to others stays ready, and listens no more at once', async () => {
  const { server, call } = await startBehindProxy();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  await call(agent);
  const hurry = new AbortController();
  const drained = server.drain(300, { hurry: hurry.signal, leavesPort: true });
  await expect.poll(() => fetch(server.url).catch(() => 'refused')).toBe('refused');
  expect(await call(agent)).toEqual({ status: 200, connection: 'close' });
  hurry.abort();
  await drained;
});

/** Starts an API whose callers are all behind a trusted proxy. */
async function startBehindProxy() {
  const config = { ...system.app.config, trustedProxies: ['loopback'] };
  const server = await startApi({ ...system.app, config });
  onTestFinished(() => server.close());
  return { server, call: (agent: Agent) => ask(server.url, agent) };
}

/** Asks for a WebSocket. @returns the status of the answer */
function statusOfUpgrade(url: string): Promise<number | undefined> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  socket.on('error', () => undefined);
  return new Promise((resolve) => {
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
    socket.on('open', () => resolve(undefined));
  });
}

test('an API that stops is not held up by connections that send nothing or half a request', async () => {
  const settings = { ...settingsFor(system.app.config), LISTENING_SOCKETS: '4' };
  const api = await startServerProcess('api', settings);
  const port = Number(new URL(api.url).port);
  for (const sent of [
    '',
    'POST /graphql HTTP/1.1\r\n',
    'POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n',
  ]) {
    // Enough that some come in through each of the listening sockets.
    for (let count = 0; count < 10; count += 1) {
      const socket = connect(port, '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      socket.write(sent);
    }
  }
  await fetch(`${api.url}/health/live`);
  process.kill(api.pid, 'SIGTERM');
  expect(await api.exited).toMatchObject({ code: 0 });
});

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s drains an API and ends it with code 0', async (signal) => {
  const api = await startServerProcess('api', { ...settingsFor(system.app.config), DRAIN_SECONDS: '300' });
  process.kill(api.pid, signal);
  await expect.poll(async () => (await fetch(`${api.url}/health/ready`)).status).toBe(503);
  expect((await fetch(`${api.url}/health/live`)).status).toBe(200);
  process.kill(api.pid, signal);
  expect(await api.exited).toMatchObject({ code: 0 });
});
