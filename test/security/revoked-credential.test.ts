/** Covers src/identity/revocation/revocations.ts, src/identity/revocation/revocation-list.ts. */
// Threat: a credential still works after its revocation, on another process or on an open socket.

import { Redis } from 'ioredis';
import { Types } from 'mongoose';
import { describe, expect, onTestFinished, test } from 'vitest';
import { RevocationKind } from '../../models/index.js';
import { expireCredentials } from '../../src/identity/expire-credentials.js';
import { createRevocationEpochs } from '../../src/identity/revocation/revocation-epoch.js';
import { createRevocationStore } from '../../src/identity/revocation/revocation-store.js';
import { startEngines } from '../../src/embedded/engines.js';
import { proxyTo } from '../support/cuttable-proxy.js';
import {
  asAdmin,
  createUser,
  login,
  refresh,
  refusalsOf,
  sameDatabases,
  updateUserMutation,
  type TestUser,
  type Tokens,
} from '../support/identity.js';
import { connectSocket, openSocket, type RawSocket } from '../support/raw-socket.js';
import { startSystem, type System } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const first = await startSystem({ worker: false });
const second = await startSystem({ worker: false, ...sameDatabases(first) });

const revokeSession = 'mutation ($id: ID!) { revokeSession(id: $id) { id } }';
const revokeSessions = 'mutation ($id: ID!) { revokeSessions(userId: $id) { id } }';

/** A socket with a subscription, so that its close ends the subscription too. */
async function follow(system: Pick<System, 'url'>, token: string): Promise<RawSocket> {
  const socket = await connectSocket(system.url, token);
  socket.send({ type: 'subscribe', id: '1', payload: { query: 'subscription { predictionCreated { id } }' } });
  return socket;
}

const revoked = { code: 4403, reason: 'Forbidden: this credential was revoked' };

async function expectRefusedOn(systems: readonly System[], token: string): Promise<void> {
  for (const system of systems) {
    expect(await refusalsOf(system, token)).toEqual(['UNAUTHENTICATED']);
    const socket = await openSocket(system.url);
    socket.send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
    expect((await socket.closed).code).toBe(4403);
  }
}

describe('a revocation takes effect on every API process, also for open sockets:', () => {
  const ways: readonly [string, (user: TestUser, tokens: Tokens) => Promise<unknown>][] = [
    ['disabling the user', ({ id }) => asAdmin(first, updateUserMutation, { input: { id, disabled: true } })],
    ['another role', ({ id }) => asAdmin(first, updateUserMutation, { input: { id, role: 'SERVICE' } })],
    [
      'a password set by an administrator',
      ({ id }) =>
        asAdmin(first, 'mutation ($input: SetUserPasswordInput!) { setUserPassword(input: $input) { id } }', {
          input: { id, newPassword: 'another one, quite new' },
        }),
    ],
    [
      'a password changed by the user',
      ({ password }, { accessToken }) =>
        first.post(
          'mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { expiresAt } }',
          { input: { currentPassword: password, newPassword: 'another one, quite new' } },
          accessToken,
        ),
    ],
    ['revoked sessions', ({ id }) => asAdmin(first, revokeSessions, { id })],
    [
      'one session that an administrator ends',
      async ({ id }) => {
        const { sessions } = await asAdmin<{ sessions: { edges: { node: { id: string } }[] } }>(
          first,
          'query ($id: ID!) { sessions(filter: { userId: $id }) { edges { node { id } } } }',
          { id },
        );
        await asAdmin(first, revokeSession, { id: sessions.edges[0]!.node.id });
      },
    ],
    [
      'one session that its user ends from another one',
      async (user, { accessToken }) => {
        const { data } = await first.post<{ viewer: { sessions: { edges: { node: { id: string } }[] } } }>(
          '{ viewer { sessions { edges { node { id } } } } }',
          undefined,
          accessToken,
        );
        const other = await login(first, user);
        const { id } = data!.viewer.sessions.edges[0]!.node;
        expect((await first.post(revokeSession, { id }, other.accessToken)).errors).toBeUndefined();
        expect(await refusalsOf(first, other.accessToken)).toEqual([]);
      },
    ],
    [
      'a logout',
      (_user, { refreshToken }) =>
        first.post('mutation ($input: LogoutInput!) { logout(input: $input) { ended } }', { input: { refreshToken } }),
    ],
    [
      'a refresh token used again after its successor',
      async (_user, { refreshToken }) => {
        const { data } = await refresh(first, refreshToken);
        await refresh(first, data!.refresh.refreshToken);
        await refresh(first, refreshToken);
      },
    ],
  ];
  test.each(ways)('%s', async (_name, revoke) => {
    const user = await createUser(first);
    const tokens = await login(first, user);
    const bystander = await login(first, await createUser(first));
    const sockets = [await follow(first, tokens.accessToken), await follow(second, tokens.accessToken)];
    await revoke(user, tokens);
    for (const { closed } of sockets) expect(await closed).toEqual(revoked);
    await expectRefusedOn([first, second], tokens.accessToken);
    for (const system of [first, second]) expect(await refusalsOf(system, bystander.accessToken)).toEqual([]);
  });

  test('revoking a user revokes tokens without a session, as of the command line, but not later tokens', async () => {
    const user = await createUser(first, { username: 'the-analyst', role: 'ANALYST' });
    const token = await first.token('ANALYST');
    const namesake = await first.token('ANALYST', 'beta');
    const sockets = [await follow(first, token), await follow(second, token)];
    await asAdmin(first, revokeSessions, { id: user.id });
    for (const { closed } of sockets) expect(await closed).toEqual(revoked);
    await expectRefusedOn([first, second], token);
    for (const system of [first, second]) {
      expect(await refusalsOf(system, await first.token('ANALYST'))).toEqual([]);
      expect(await refusalsOf(system, namesake)).toEqual([]);
    }
    // No token of a disabled user is accepted, whenever it was signed.
    await asAdmin(first, updateUserMutation, { input: { id: user.id, disabled: true } });
    await expectRefusedOn([first], await first.token('ANALYST'));
    await asAdmin(first, updateUserMutation, { input: { id: user.id, disabled: false } });
    expect(await refusalsOf(first, await first.token('ANALYST'))).toEqual([]);
  });

  test('the last change counts when two administrators enable and disable a user at once', async () => {
    const user = await createUser(first);
    const { accessToken } = await login(first, user);
    await Promise.allSettled(
      [first, second, first, second].map((system, index) =>
        asAdmin(system, updateUserMutation, { input: { id: user.id, disabled: index % 2 === 0 } }),
      ),
    );
    const { disabled = false } = await first.app.models.users.findById(user.id).orFail();
    const stored = await first.app.models.revocations
      .findOne({ kind: RevocationKind.USER, subject: user.username })
      .orFail();
    expect(stored.blocked).toBe(disabled);
    await expectRefusedOn([first, second], accessToken);
  });
});

// Shows: 164.312(d)
test('every process gets an event, and need not wait for its next check', async () => {
  const { id } = await createUser(first);
  const told = new Promise<{ epoch: number }>((resolve) => {
    onTestFinished(second.app.events.subscribe('credentialsRevoked', resolve));
  });
  await asAdmin(first, revokeSessions, { id });
  const { epoch } = await told;
  expect((await first.app.models.revocationEpochs.findOne().orFail()).value).toBe(epoch);
});

describe('a revocation does not depend on', () => {
  /** Revokes as the command line does, without an event. With `announce`, it also raises the epoch in Redis. */
  async function revokeFromOutside(system: System, { username }: TestUser, announce: boolean): Promise<void> {
    const { epoch } = await createRevocationStore(system.app.models).record(
      new Types.ObjectId(await system.organizationId()),
      [{ kind: RevocationKind.USER, subject: username, blocked: true }],
    );
    if (!announce) return;
    const redis = new Redis(system.app.config.redisUrl!);
    onTestFinished(() => redis.disconnect());
    const epochs = createRevocationEpochs(redis, system.app.config.redisPrefix);
    // It waits for 200 ms, in which a busy machine may not even have connected.
    await expect.poll(() => epochs.announce(epoch)).toBe(true);
  }

  test('events: processes also check the epoch in Redis', async () => {
    const user = await createUser(first);
    const { accessToken } = await login(first, user);
    const sockets = [await follow(first, accessToken), await follow(second, accessToken)];
    await revokeFromOutside(first, user, true);
    for (const { closed } of sockets) expect(await closed).toEqual(revoked);
    await expectRefusedOn([first, second], accessToken);
  });

  test('a connection of the revoking process to Redis', async () => {
    const user = await createUser(first);
    const { accessToken } = await login(first, user);
    const sockets = [await follow(first, accessToken), await follow(second, accessToken)];
    await revokeFromOutside(first, user, false);
    for (const { closed } of sockets) expect(await closed).toEqual(revoked);
  });

  // Shows: 164.312(d)
  test('the memory of Redis: a wiped one gets the epoch of MongoDB again', async () => {
    const engines = await startEngines({ dataDirectory: await temporaryDirectory(), mongoUri: 'mongodb://unused' });
    onTestFinished(() => engines.stop());
    const one = await startSystem({ worker: false, environment: { REDIS_URL: engines.redisUrl } });
    const other = await startSystem({ worker: false, ...sameDatabases(one) });
    const [early, late] = [await createUser(one), await createUser(one)];
    const earlyTokens = await login(one, early);
    const lateTokens = await login(one, late);
    await asAdmin(one, revokeSessions, { id: early.id });

    const redis = new Redis(engines.redisUrl);
    onTestFinished(() => redis.disconnect());
    const key = `${one.app.config.redisPrefix}:revocation-epoch`;
    expect(await redis.get(key)).toBe('1');
    await redis.flushall();
    await expect.poll(() => redis.get(key)).toBe('1');
    await expectRefusedOn([one, other], earlyTokens.accessToken);
    // A process that starts on a wiped Redis knows the revocation too.
    await redis.flushall();
    const fresh = await startSystem({ worker: false, ...sameDatabases(one) });
    await expectRefusedOn([fresh], earlyTokens.accessToken);

    // A Redis that is behind (a failover) or ahead (MongoDB was restored) is corrected.
    for (const wrong of ['0', '4711']) {
      await redis.set(key, wrong);
      await expect.poll(() => redis.get(key)).toBe('1');
    }
    const socket = await follow(other, lateTokens.accessToken);
    await redis.flushall();
    await asAdmin(one, revokeSessions, { id: late.id });
    expect(await socket.closed).toEqual(revoked);
    // The closed socket shows that one process knows. Another one may learn it a moment later.
    await expect.poll(() => refusalsOf(fresh, lateTokens.accessToken)).toEqual(['UNAUTHENTICATED']);
    await expectRefusedOn([one, other, fresh], lateTokens.accessToken);
  });

  test('a running Redis: processes read MongoDB instead', async () => {
    const proxy = await proxyTo(first.app.config.redisUrl!);
    onTestFinished(() => proxy.close());
    const { environment } = sameDatabases(first);
    const one = await startSystem({ worker: false, environment: { ...environment, REDIS_URL: proxy.url } });
    const other = await startSystem({ worker: false, environment: { ...environment, REDIS_URL: proxy.url } });
    const [user, next] = [await createUser(one), await createUser(one)];
    const tokens = await login(one, user);
    const nextTokens = await login(one, next);
    const sockets = [await follow(one, tokens.accessToken), await follow(other, tokens.accessToken)];
    proxy.cut();
    await asAdmin(one, updateUserMutation, { input: { id: user.id, disabled: true } });
    for (const { closed } of sockets) expect(await closed).toEqual(revoked);
    await expectRefusedOn([one, other], tokens.accessToken);
    // When Redis is back, processes use it again.
    const socket = await follow(other, nextTokens.accessToken);
    proxy.mend();
    await asAdmin(one, revokeSessions, { id: next.id });
    expect(await socket.closed).toEqual(revoked);
  });
});

test('a revocation is removed when no earlier credential can be valid, but not while a user is disabled', async () => {
  const users = [await createUser(first), await createUser(first)] as const;
  await asAdmin(first, revokeSessions, { id: users[0].id });
  await asAdmin(first, updateUserMutation, { input: { id: users[1].id, disabled: true } });
  const { revocations } = first.app.models;
  const of = ({ username }: TestUser) => revocations.findOne({ kind: RevocationKind.USER, subject: username }).lean();
  const { keepUntil } = (await of(users[0]))!;
  await expireCredentials(first.app.models, new Date(keepUntil.getTime() - 1_000));
  expect(await of(users[0])).not.toBeNull();
  await expireCredentials(first.app.models, new Date(keepUntil.getTime() + 60_000));
  expect(await of(users[0])).toBeNull();
  expect(await of(users[1])).toMatchObject({ blocked: true });
});
