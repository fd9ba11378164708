import { describe, expect, test } from 'vitest';
import {
  asAdmin,
  createApiKey,
  createUser,
  credentialOf,
  goodPassword,
  listenToAudit,
  login,
  loginMutation,
  refresh,
  refusalsOf,
  type Tokens,
} from '../support/identity.js';
import { codesOf, startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const audit = listenToAudit(system);

describe('login', () => {
  test('gives tokens, their expiry, and the viewer', async () => {
    const user = await createUser(system, { role: 'ANALYST', organization: 'login-org' });
    const { data } = await system.post<{ login: Tokens & { viewer: object } }>(loginMutation, {
      input: { ...credentialOf(user), username: ` ${user.username.toUpperCase()} ` },
    });
    expect(data!.login.viewer).toEqual({
      username: user.username,
      role: 'ANALYST',
      permissions: expect.arrayContaining(['prediction:read', 'password:change']),
      organization: { slug: 'login-org' },
    });
    const { data: seen } = await system.post(
      '{ viewer { username role organization { slug } expiresAt } }',
      undefined,
      data!.login.accessToken,
    );
    expect(seen).toEqual({
      viewer: {
        username: user.username,
        role: 'ANALYST',
        organization: { slug: 'login-org' },
        expiresAt: data!.login.expiresAt,
      },
    });
  });

  test('is possible with an expired token in the header', async () => {
    const user = await createUser(system);
    expect(
      codesOf(
        await system.post(loginMutation, { input: credentialOf(user) }, await system.token('ANALYST', 'alpha', -10)),
      ),
    ).toEqual([]);
  });

  test('refuses an input longer than any name, without repeating it', async () => {
    const answer = await system.post(loginMutation, {
      input: { organization: 'alpha', username: 'Canary'.repeat(100), password: 'Canary'.repeat(1_000) },
    });
    expect(answer.errors![0]!.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ path: 'username' }, { path: 'password' }],
    });
    expect(answer.text).not.toContain('Canary');
  });
});

describe('changePassword', () => {
  const change = (token: string, currentPassword: string, newPassword: string) =>
    system.post<{ changePassword: Tokens }>(
      /* GraphQL */ `
        mutation ($input: ChangePasswordInput!) {
          changePassword(input: $input) {
            accessToken
            refreshToken
            expiresAt
            refreshExpiresAt
          }
        }
      `,
      { input: { currentPassword, newPassword } },
      token,
    );

  test('needs the current password, ends the other sessions and begins a new one', async () => {
    const user = await createUser(system);
    const [here, elsewhere] = [await login(system, user), await login(system, user)];
    expect(
      (await change(here.accessToken, 'not this one at all', 'seven slow otters at dawn')).errors![0]!.extensions,
    ).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ path: 'currentPassword' }] });
    audit.events.length = 0;
    const { data } = await change(here.accessToken, goodPassword, 'seven slow otters at dawn');
    expect(audit.events).toMatchObject([
      { action: 'password:change', outcome: 'ALLOWED', actor: { username: user.username }, subject: { id: user.id } },
    ]);
    for (const { accessToken } of [here, elsewhere])
      expect(await refusalsOf(system, accessToken)).toEqual(['UNAUTHENTICATED']);
    expect(await refusalsOf(system, data!.changePassword.accessToken)).toEqual([]);
    expect(codesOf(await system.post(loginMutation, { input: credentialOf(user) }))).toEqual(['INVALID_CREDENTIALS']);
    await login(system, { ...user, password: 'seven slow otters at dawn' });
  });

  test('is a CONFLICT for a caller without a password here', async () => {
    expect(codesOf(await change(await system.token('SERVICE', 'no-users'), 'x', goodPassword))).toEqual(['CONFLICT']);
  });
});

describe('sessions', () => {
  interface Shown {
    readonly id: string;
    readonly isCurrent: boolean;
    readonly lastUsedAt: string;
  }
  type Sessions = { readonly totalCount: number; readonly edges: { readonly node: Shown }[] };
  const fields = `totalCount edges { node { id userId createdAt address lastUsedAt expiresAt endedAt isCurrent } }`;
  const listOf = async (userId: string, organization?: string): Promise<Sessions> => {
    const query = `query ($userId: ID) { sessions(filter: { userId: $userId }) { ${fields} } }`;
    return (await asAdmin<{ sessions: Sessions }>(system, query, { userId }, organization)).sessions;
  };
  const own = async (token: string): Promise<Sessions> => {
    const { data } = await system.post<{ viewer: { sessions: Sessions } }>(
      `{ viewer { sessions { ${fields} } } }`,
      undefined,
      token,
    );
    return data!.viewer.sessions;
  };
  const end = (id: string, token: string) =>
    system.post<{ revokeSession: Shown & { endedAt: string } }>(
      'mutation ($id: ID!) { revokeSession(id: $id) { id endedAt } }',
      { id },
      token,
    );

  test('are listed with their times and address, newest first, without their tokens', async () => {
    const user = await createUser(system);
    const first = await login(system, user);
    const second = await login(system, user);
    audit.events.length = 0;
    const before = await listOf(user.id);
    expect(audit.events).toMatchObject([
      { action: 'user:manage', outcome: 'ALLOWED', subject: { kind: 'USER', id: user.id } },
    ]);
    const shown = {
      id: expect.any(String),
      userId: user.id,
      createdAt: expect.any(String),
      address: '127.0.0.1',
      lastUsedAt: expect.any(String),
      expiresAt: first.refreshExpiresAt,
      endedAt: null,
      isCurrent: false,
    };
    expect(before).toEqual({
      totalCount: 2,
      edges: [{ node: { ...shown, expiresAt: second.refreshExpiresAt } }, { node: shown }],
    });
    const renewed = await refresh(system, first.refreshToken);
    const after = await own(renewed.data!.refresh.accessToken);
    expect(after.edges.map(({ node }) => node.isCurrent)).toEqual([false, true]);
    expect(after.edges[1]!.node.lastUsedAt > before.edges[1]!.node.lastUsedAt).toBe(true);
    // An earlier release stored no address.
    await system.app.models.sessions.updateMany({ user: user.id }, { $unset: { address: 1 } });
    expect((await listOf(user.id)).edges[0]!.node).toMatchObject({ address: null });
  });

  test('end one by one: it is recorded, others live on, and it leaves the list', async () => {
    const user = await createUser(system);
    const [first, second] = [await login(system, user), await login(system, user)];
    const { id } = (await listOf(user.id)).edges[1]!.node;
    audit.events.length = 0;
    const ended = await end(id, await system.token('ADMIN'));
    expect(ended.data!.revokeSession).toEqual({ id, endedAt: expect.any(String) });
    expect(audit.events).toMatchObject([
      { action: 'session:end', outcome: 'ALLOWED', subject: { kind: 'USER', id: user.id } },
    ]);
    expect(await refusalsOf(system, first.accessToken)).toEqual(['UNAUTHENTICATED']);
    expect(codesOf(await refresh(system, first.refreshToken))).toEqual(['UNAUTHENTICATED']);
    expect(await refusalsOf(system, second.accessToken)).toEqual([]);
    expect((await listOf(user.id)).edges.map(({ node }) => node.id)).not.toContain(id);
    const again = await end(id, second.accessToken);
    expect(again.data!.revokeSession).toEqual(ended.data!.revokeSession);
  });

  test('of other users are hidden from all but an ADMIN, and those of other organizations from all', async () => {
    const [user, colleague] = [await createUser(system), await createUser(system)];
    const tokens = await login(system, user);
    const { id } = (await own(tokens.accessToken)).edges[0]!.node;
    const others = (await login(system, colleague)).accessToken;
    for (const token of [others, await system.token('ADMIN', 'beta'), await system.token('ANALYST')])
      expect(codesOf(await end(id, token))).toEqual(['NOT_FOUND']);
    expect(codesOf(await end('{ $ne: 1 }', await system.token('ADMIN')))).toEqual(['NOT_FOUND']);
    expect((await listOf(user.id, 'beta')).edges).toEqual([]);
    expect((await own(others)).edges).toHaveLength(1);
    expect((await own(await system.token('ANALYST'))).edges).toEqual([]);
    expect((await own(await createApiKey(system, ['viewer:read']))).edges).toEqual([]);
    expect(await refusalsOf(system, tokens.accessToken)).toEqual([]);
  });
});
