/** Covers src/http/socket-credential.ts, src/http/socket-transport.ts. */
// Threat: a socket is still served after its token has expired.

import { afterAll, describe, expect, test } from 'vitest';
import { Role } from '../../models/index.js';
import { startIdentityProvider } from '../support/identity-provider.js';
import { asAdmin, createUser, login } from '../support/identity.js';
import { connectSocket, openSocket, type RawSocket } from '../support/raw-socket.js';
import { patient, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const provider = await startIdentityProvider();
afterAll(() => provider.close());
const system = await startSystem({ environment: provider.environment });

const ping = (socket: RawSocket, authorization: unknown): void =>
  socket.send({ type: 'ping', payload: { authorization } });
// Long enough for a busy machine to finish the steps before the expiry.
const shortToken = (seconds = 4): Promise<string> => system.token('CLINICIAN', 'alpha', seconds);

/** Starts a job and follows it, until the socket has its first event. */
async function followJob(socket: RawSocket): Promise<string> {
  const { id: patientId } = await patient(await system.client('CLINICIAN'));
  socket.send({
    type: 'subscribe',
    id: 'predictions',
    payload: { query: `subscription { predictionCreated(patientId: "${patientId}") { patient { id } } }` },
  });
  // A subscription has no acknowledgement. Messages are handled in order, so this refusal shows that it has started.
  socket.send({ type: 'subscribe', id: 'marker', payload: { query: 'subscription { nothing }' } });
  expect(await socket.next()).toMatchObject({ type: 'error', id: 'marker' });
  return patientId;
}

const score = async (patientId: string): Promise<void> =>
  void (await submit(await system.client('CLINICIAN'), { patientId }));

describe('a socket whose token expires', () => {
  // Shows: 164.312(a)(2)(iii)
  test('is closed with 4403 at the expiry, with all its subscriptions', async () => {
    const socket = await connectSocket(system.url, await shortToken());
    await followJob(socket);
    expect(await socket.closed).toEqual({ code: 4403, reason: 'Forbidden: the access token has expired' });
  });

  // Shows: 164.312(a)(2)(iii)
  test('continues with its subscriptions after it got a new token, and ends when that one expires', async () => {
    const old = await shortToken();
    const renewed = await connectSocket(system.url, old);
    const notRenewed = await connectSocket(system.url, old);
    const patientId = await followJob(renewed);
    ping(renewed, `Bearer ${await shortToken(10)}`);
    const pong = await renewed.next();
    expect(pong).toEqual({ type: 'pong', payload: { expiresAt: expect.any(String) } });
    expect((await notRenewed.closed).code).toBe(4403);

    await score(patientId);
    expect(await renewed.next()).toMatchObject({
      type: 'next',
      id: 'predictions',
      payload: { data: { predictionCreated: { patient: { id: patientId } } } },
    });
    renewed.send({
      type: 'subscribe',
      id: 'new',
      payload: { query: 'subscription { scoringJobUpdated(id: "aaaaaaaaaaaaaaaaaaaaaaaa") { sequence } }' },
    });
    expect(await renewed.next()).toMatchObject({
      type: 'error',
      id: 'new',
      payload: [{ extensions: { code: 'NOT_FOUND' } }],
    });
    const closed = await renewed.closed;
    expect(closed).toEqual({ code: 4403, reason: 'Forbidden: the access token has expired' });
    expect(Date.now()).toBeGreaterThanOrEqual(new Date((pong.payload as { expiresAt: string }).expiresAt).getTime());
  });

  test('has the rights of its present token, not of its first one', async () => {
    const user = await createUser(system);
    const [before, after] = [await login(system, user), await login(system, user)];
    const socket = await connectSocket(system.url, before.accessToken);
    const other = await connectSocket(system.url, before.accessToken);
    ping(socket, `Bearer ${after.accessToken}`);
    expect(await socket.next()).toEqual({ type: 'pong', payload: { expiresAt: after.expiresAt } });
    const logout = (refreshToken: string) =>
      system.post('mutation ($input: LogoutInput!) { logout(input: $input) { ended } }', { input: { refreshToken } });
    await logout(before.refreshToken);
    expect((await other.closed).code).toBe(4403);
    ping(socket, `Bearer ${after.accessToken}`);
    expect(await socket.next()).toMatchObject({ type: 'pong' });
    await logout(after.refreshToken);
    expect(await socket.closed).toEqual({ code: 4403, reason: 'Forbidden: this credential was revoked' });
  });

  test('may have an API key, whose expiry is renewed too', async () => {
    const { createApiKey } = await asAdmin<{ createApiKey: { key: string } }>(
      system,
      'mutation { createApiKey(input: { name: "k", scopes: ["job:read"] }) { key } }',
      {},
    );
    const socket = await connectSocket(system.url, createApiKey.key);
    ping(socket, `Bearer ${createApiKey.key}`);
    expect(await socket.next()).toEqual({ type: 'pong', payload: { expiresAt: '9999-12-31T00:00:00.000Z' } });
  });
});

describe('a socket is not renewed, but closed with 4403, by', () => {
  test.each<[string, () => Promise<unknown> | unknown]>([
    ['a token that is not valid', () => 'Bearer a.b.c'],
    ['a token that has expired', async () => `Bearer ${await shortToken(-1)}`],
    ['a token without Bearer', () => system.token('CLINICIAN')],
    ['a token of another user', async () => `Bearer ${(await login(system, await createUser(system))).accessToken}`],
    ['a token of another organization', async () => `Bearer ${await system.token('CLINICIAN', 'beta')}`],
    [
      'a token of the same user with another role',
      async () =>
        `Bearer ${await system.app.accessTokens.sign({ username: 'the-clinician', role: Role.ANALYST, organizationId: await system.organizationId() }, 60)}`,
    ],
    ['a token of the identity provider of another name', async () => `Bearer ${await provider.token()}`],
    ['nothing', () => null],
    ['what is no text', () => ({ $ne: null })],
  ])('%s', async (_name, authorization) => {
    const socket = await connectSocket(system.url, await system.token('CLINICIAN'));
    ping(socket, await authorization());
    expect(await socket.closed).toEqual({
      code: 4403,
      reason: 'Forbidden: the new credential is not valid for this socket',
    });
  });

  test('any token, when it was anonymous or not acknowledged yet', async () => {
    const anonymous = await connectSocket(system.url);
    ping(anonymous, `Bearer ${await system.token('CLINICIAN')}`);
    expect((await anonymous.closed).code).toBe(4403);
    const early = await openSocket(system.url);
    ping(early, `Bearer ${await system.token('CLINICIAN')}`);
    expect((await early.closed).code).toBe(4403);
  });
});

test('a ping without a credential gets the pong of the protocol', async () => {
  const socket = await connectSocket(system.url, await system.token('CLINICIAN'));
  socket.send({ type: 'ping' });
  expect(await socket.next()).toEqual({ type: 'pong' });
  socket.send({ type: 'ping', payload: { sent: 1 } });
  expect(await socket.next()).toEqual({ type: 'pong', payload: { sent: 1 } });
});

test('a credential that cannot be verified at the moment changes nothing, and no pong repeats it', async () => {
  const cut = await startIdentityProvider();
  const alone = await startSystem({ worker: false, environment: cut.environment });
  cut.status = 503;
  const token = await alone.token('CLINICIAN');
  const socket = await connectSocket(alone.url, token);
  const fresh = await cut.token({ claims: { sub: 'the-clinician' } });
  socket.send({ type: 'ping', payload: { authorization: `Bearer ${fresh}`, more: 'Canary' } });
  const { exp } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { exp: number };
  expect(await socket.next()).toEqual({ type: 'pong', payload: { expiresAt: new Date(exp * 1000).toISOString() } });
  cut.status = 200;
  socket.send({ type: 'ping', payload: { authorization: `Bearer ${fresh}` } });
  expect(await socket.next()).toEqual({
    type: 'pong',
    payload: { expiresAt: expect.not.stringContaining(new Date(exp * 1000).toISOString()) },
  });
  await cut.close();
});
