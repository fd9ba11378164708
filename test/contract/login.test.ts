import { describe, expect, test } from 'vitest';
import {
  createUser,
  credentialOf,
  goodPassword,
  listenToAudit,
  login,
  loginMutation,
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
