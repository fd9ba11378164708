/** Covers src/http/subscription-caps.ts, src/http/graphql-socket.ts. */
// Threat: a client opens sockets and subscriptions until the server has no place for others.

import { describe, expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { connectSocket, openSocket, type RawSocket, type SocketMessage } from '../support/raw-socket.js';
import { patient, submit } from '../support/scenario.js';
import { startSystem, type System } from '../support/system.js';

const limits = {
  SUBSCRIPTIONS_PER_SOCKET: '3',
  SUBSCRIPTIONS_PER_USER: '5',
  SUBSCRIPTIONS_PER_NODE: '7',
  SOCKETS_PER_NODE: '6',
};
const system = await startSystem({ worker: false, environment: limits });

/** A job that never changes, so that its subscriptions stay open. */
async function submitJob(of: System): Promise<string> {
  const client = await of.client('CLINICIAN');
  const created = await patient(client);
  return (await submit(client, { patientId: created.id })).id;
}
const jobId = await submitJob(system);

async function subscribe(socket: RawSocket, id: string): Promise<SocketMessage> {
  socket.send({
    type: 'subscribe',
    id,
    payload: { query: `subscription { scoringJobUpdated(id: "${jobId}") { sequence } }` },
  });
  return socket.next();
}

/** Ends a subscription. The server answers later messages only after that. */
async function complete(socket: RawSocket, id: string): Promise<void> {
  socket.send({ type: 'complete', id });
  socket.send({ type: 'subscribe', id: 'after', payload: { query: 'subscription { nothing }' } });
  await socket.next();
}

const begun = { type: 'next' };
const refused = (code: string, message: RegExp) => ({
  type: 'error',
  payload: [{ message: expect.stringMatching(message), extensions: expect.objectContaining({ code }) }],
});

describe('subscriptions', () => {
  // Shows: owasp/system-resources
  test('are limited per socket, user and node, each with its reason, and free their place at their end', async () => {
    const token = await system.token('CLINICIAN');
    const first = await connectSocket(system.url, token);
    for (const id of ['1', '2', '3']) expect(await subscribe(first, id)).toMatchObject(begun);
    expect(await subscribe(first, '4')).toMatchObject(
      refused('RATE_LIMITED', /^This socket has 3 subscriptions, which is the limit/),
    );

    const second = await connectSocket(system.url, token);
    for (const id of ['1', '2']) expect(await subscribe(second, id)).toMatchObject(begun);
    expect(await subscribe(second, '3')).toMatchObject(
      refused('RATE_LIMITED', /^This user has 5 subscriptions on this server/),
    );

    const other = await connectSocket(system.url, await system.token('SERVICE'));
    for (const id of ['1', '2']) expect(await subscribe(other, id)).toMatchObject(begun);
    expect(await subscribe(other, '3')).toMatchObject(
      refused('SERVICE_UNAVAILABLE', /^This server has reached its limit of subscriptions/),
    );

    // A freed place can be used again, and a refusal takes no place.
    await complete(first, '1');
    expect(await subscribe(other, '4')).toMatchObject(begun);
    await complete(other, '4');
    first.close();
    await first.closed;
    await expect.poll(async () => (await subscribe(second, `again-${Math.random()}`)).type).toBe('next');
  });

  test('that were refused, or ended on their own, take no place', async () => {
    const socket = await connectSocket(system.url, await system.token('CLINICIAN', 'beta'));
    for (let number = 0; number < 10; number++)
      expect(await subscribe(socket, `n${number}`)).toMatchObject(refused('NOT_FOUND', /not found/));
    for (let number = 0; number < 10; number++) {
      socket.send({ type: 'subscribe', id: `b${number}`, payload: { query: 'subscription { nothing }' } });
      expect((await socket.next()).type).toBe('error');
      // The client completes it before the answer. It then ends, or gets its answer first.
      socket.send({
        type: 'subscribe',
        id: `c${number}`,
        payload: { query: 'subscription { predictionCreated { id } }' },
      });
      socket.send({ type: 'complete', id: `c${number}` });
    }
    await expect
      .poll(async () => {
        socket.send({ type: 'subscribe', id: `p${Math.random()}`, payload: { query: 'subscription { nothing }' } });
        return (
          (await socket.next()).type === 'error' &&
          (await (await fetch(`${system.url}/metrics`)).text()).includes(
            'riskgraph_subscriptions{kind="predictionCreated"} 0',
          )
        );
      })
      .toBe(true);
    for (let number = 0; number < 3; number++)
      socket.send({
        type: 'subscribe',
        id: `d${number}`,
        payload: { query: 'subscription { predictionCreated { id } }' },
      });
    await expect
      .poll(async () => (await fetch(`${system.url}/metrics`)).text())
      .toContain('riskgraph_subscriptions{kind="predictionCreated"} 3');
  });
});

// Shows: owasp/system-resources
test('sockets beyond the limit of a node are refused before they are opened', async () => {
  const fresh = await startSystem({ worker: false, environment: { SOCKETS_PER_NODE: '2' } });
  const status = () =>
    new Promise<number>((resolve) => {
      const socket = new WebSocket(`${fresh.url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws');
      onTestFinished(() => socket.terminate());
      socket.on('open', () => resolve(101)).on('error', () => undefined);
      socket.on('unexpected-response', (_request, response) => {
        response.resume();
        resolve(response.statusCode!);
      });
    });
  const first = await connectSocket(fresh.url, await fresh.token('CLINICIAN'));
  expect(await status()).toBe(101);
  expect(await status()).toBe(503);
  first.close();
  await first.closed;
  await expect.poll(status).toBe(101);
});

describe('a socket without a credential', () => {
  // Shows: owasp/infrastructure-timeout
  test('is closed when it sends nothing at all', async () => {
    const socket = await openSocket(system.url);
    expect((await socket.closed).code).toBe(4408);
  });

  // Shows: owasp/infrastructure-timeout
  test('is closed when it sends no token, and is served nothing before', async () => {
    const socket = await connectSocket(system.url);
    expect(await subscribe(socket, '1')).toMatchObject(refused('UNAUTHENTICATED', /token/));
    expect(await socket.closed).toEqual({ code: 4401, reason: 'Unauthorized: connect with an access token' });
  });
});
