/** Covers src/http/subscription-caps.ts, src/http/places.ts, src/http/upgrades.ts, src/http/graphql-socket.ts. */
// Threat: a client opens sockets and subscriptions until the server has no place for others.

import { describe, expect, onTestFinished, test } from 'vitest';
import { connectRaw, upgradeRequest, type RawConnection } from '../support/raw-frames.js';
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

  // Shows: owasp/system-resources
  test('are limited per organization, so that another organization still finds a place', async () => {
    const environment = { SUBSCRIPTIONS_PER_ORGANIZATION: '3', SUBSCRIPTIONS_PER_USER: '2' };
    const capped = await startSystem({ worker: false, environment });
    const follow = async (socket: RawSocket, id: string): Promise<void> => {
      socket.send({ type: 'subscribe', id, payload: { query: 'subscription { predictionCreated { id } }' } });
      socket.send({ type: 'subscribe', id: `after ${id}`, payload: { query: 'subscription { nothing }' } });
    };
    const sockets = [];
    for (const role of ['CLINICIAN', 'SERVICE'] as const)
      sockets.push(await connectSocket(capped.url, await capped.token(role)));
    // The marker itself takes a place until it is refused.
    await follow(sockets[0]!, '1');
    expect(await sockets[0]!.next()).toMatchObject({ id: 'after 1' });
    sockets[0]!.send({ type: 'subscribe', id: '2', payload: { query: 'subscription { predictionCreated { id } }' } });
    sockets[0]!.send({ type: 'ping' });
    expect(await sockets[0]!.next()).toMatchObject({ type: 'pong' });
    await follow(sockets[1]!, '1');
    expect(await sockets[1]!.next()).toMatchObject({ id: 'after 1' });
    await follow(sockets[1]!, '2');
    expect(await sockets[1]!.next()).toMatchObject(
      refused('RATE_LIMITED', /^This organization has 3 subscriptions on this server, which is the limit/),
    );
    const other = await connectSocket(capped.url, await capped.token('CLINICIAN', 'beta'));
    await follow(other, '1');
    expect(await other.next()).toMatchObject({ id: 'after 1' });
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

describe('sockets with a token', () => {
  /** Opens a socket with a token. @returns the code of its close, or 0 when it was acknowledged */
  async function connect({ url }: System, token: string): Promise<{ code: number; socket: RawSocket }> {
    const socket = await openSocket(url);
    socket.send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
    const answered = socket.next().then(
      () => 0,
      () => socket.closed.then(({ code }) => code),
    );
    return { code: await answered, socket };
  }

  // Shows: owasp/system-resources
  test('are limited per user, organization and node; a client may try again and gets the place that is free', async () => {
    const capped = await startSystem({
      worker: false,
      environment: { SOCKETS_PER_USER: '2', SOCKETS_PER_ORGANIZATION: '3', SOCKETS_PER_NODE: '4' },
    });
    const clinician = await capped.token('CLINICIAN');
    const first = await connect(capped, clinician);
    expect(first.code).toBe(0);
    expect((await connect(capped, clinician)).code).toBe(0);
    // 1013: clients of graphql-ws connect again after it. They give up after a code of 4400 and above.
    const { code, socket } = await connect(capped, clinician);
    expect(code).toBe(1013);
    expect((await socket.closed).reason).toMatch(/^Too many sockets of this user/);
    expect((await connect(capped, await capped.token('SERVICE'))).code).toBe(0);
    const ofOrganization = await connect(capped, await capped.token('ADMIN'));
    expect((await ofOrganization.socket.closed).reason).toMatch(/^Too many sockets of this organization/);
    // Another organization still has its place, and then the server is full.
    expect((await connect(capped, await capped.token('CLINICIAN', 'beta'))).code).toBe(0);
    const ofNode = await connect(capped, await capped.token('ADMIN', 'beta'));
    expect(await ofNode.socket.closed).toMatchObject({ code: 1013, reason: expect.stringMatching(/^This server/) });
    first.socket.close();
    await first.socket.closed;
    await expect.poll(async () => (await connect(capped, clinician)).code).toBe(0);
  });

  // Shows: owasp/system-resources
  test('find a place however many sockets without one there are, at the same address too', async () => {
    const capped = await startSystem({
      worker: false,
      environment: { UNAUTHENTICATED_SOCKETS_PER_ADDRESS: '3', SOCKETS_PER_NODE: '2' },
    });
    const silent: RawSocket[] = [];
    for (let number = 0; number < 10; number++) silent.push(await openSocket(capped.url));
    expect((await connect(capped, await capped.token('CLINICIAN'))).code).toBe(0);
    const ended = (await Promise.all(silent.map(({ closed }) => closed))).filter(({ code }) => code === 1013);
    expect(ended).toHaveLength(8);
  });
});

// Shows: owasp/system-resources
test('sockets without a token are limited by node, whatever their addresses are: the oldest one ends', async () => {
  const capped = await startSystem({
    worker: false,
    environment: { UNAUTHENTICATED_SOCKETS_PER_NODE: '4', TRUST_PROXY: 'loopback' },
  });
  const opened: RawConnection[] = [];
  for (let number = 1; number <= 6; number++)
    opened.push(await connectRaw(capped.url, upgradeRequest('/graphql', { 'X-Forwarded-For': `192.0.2.${number}` })));
  onTestFinished(() => opened.forEach(({ socket }) => socket.destroy()));
  await Promise.all(opened.slice(0, 2).map(({ ended }) => ended));
  await expect.poll(() => opened.slice(2).filter((one) => one.received().includes(' 101 ')).length).toBe(4);
  expect(opened.slice(2).some(({ socket }) => socket.readableEnded)).toBe(false);
});

// Shows: owasp/infrastructure-timeout
test('a client that does not answer the close of its socket is disconnected soon', async () => {
  const { ended, socket, received } = await connectRaw(system.url, upgradeRequest());
  onTestFinished(() => void socket.destroy());
  let isOver = false;
  void ended.then(() => (isOver = true));
  await expect.poll(() => received(), { timeout: 10_000 }).toContain('Connection initialisation timeout');
  await expect.poll(() => isOver, { timeout: 10_000 }).toBe(true);
});

// Shows: owasp/system-resources
test.each(['/health', '/health/live', '/health/ready', '/metrics', '/', '/graphql/', '/nothing', '/%zz'])(
  'no WebSocket is opened at %s',
  async (path) => {
    const { ended, received } = await connectRaw(system.url, upgradeRequest(path));
    await ended;
    expect(received()).toMatch(/^HTTP\/1\.1 404 /);
  },
);

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
