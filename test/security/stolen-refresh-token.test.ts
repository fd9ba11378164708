/** Covers src/identity/sessions/session-service.ts, src/identity/sessions/session-store.ts. */
// Threat: a thief uses a refresh token of a user.

import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { SessionEnd, type User } from '../../models/index.js';
import { expireCredentials } from '../../src/identity/expire-credentials.js';
import { newRefreshToken, parseRefreshToken } from '../../src/identity/sessions/refresh-token.js';
import { createSessionStore } from '../../src/identity/sessions/session-store.js';
import { ServiceUnavailableError } from '../../src/errors.js';
import {
  asAdmin,
  createUser,
  listenToAudit,
  login,
  loginMutation,
  credentialOf,
  refresh,
  refusalsOf,
  updateUserMutation,
  type Tokens,
} from '../support/identity.js';
import { codesOf, startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const audit = listenToAudit(system);
const { sessions } = system.app.models;

const logout = (refreshToken: string) =>
  system.post<{ logout: { ended: boolean } }>('mutation ($input: LogoutInput!) { logout(input: $input) { ended } }', {
    input: { refreshToken },
  });

async function refreshed(refreshToken: string): Promise<Tokens> {
  const { data, errors } = await refresh(system, refreshToken);
  if (!data) throw new Error(`not refreshed: ${JSON.stringify(errors)}`);
  return data.refresh;
}

/** Lets the seconds pass in which a used token gives its successor again. */
const later = (tokens: Tokens): Promise<unknown> =>
  sessions.updateOne({ _id: sessionIdOf(tokens) }, { $set: { refreshedAt: new Date(Date.now() - 10_000) } });

const sessionIdOf = ({ accessToken }: Tokens): string =>
  (JSON.parse(Buffer.from(accessToken.split('.')[1]!, 'base64url').toString()) as { sid: string }).sid;

describe('a refresh token', () => {
  test('has 256 random bits and the id of its session, and is replaced at each use', async () => {
    const user = await createUser(system);
    const first = await login(system, user);
    expect(first.refreshToken).toMatch(/^rgr_[\w-]{22}_[\w-]{43}$/);
    const second = await refreshed(first.refreshToken);
    const third = await refreshed(second.refreshToken);
    expect(new Set([first, second, third].map(({ refreshToken }) => refreshToken)).size).toBe(3);
    expect(new Set([first, second, third].map(sessionIdOf)).size).toBe(1);
    for (const { accessToken } of [first, second, third]) expect(await refusalsOf(system, accessToken)).toEqual([]);
  });

  // Shows: 164.312(a)(2)(iii)
  test('does not prolong the session', async () => {
    const first = await login(system, await createUser(system));
    const second = await refreshed(first.refreshToken);
    expect(second.refreshExpiresAt).toBe(first.refreshExpiresAt);
    const hours = (new Date(first.refreshExpiresAt).getTime() - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(11.9);
    expect(hours).toBeLessThanOrEqual(12);
    const minutes = (new Date(second.expiresAt).getTime() - Date.now()) / 60_000;
    expect(minutes).toBeGreaterThan(14.9);
    expect(minutes).toBeLessThanOrEqual(15);
  });

  test('no longer works after the end of the session, and maintenance then deletes the session', async () => {
    const tokens = await login(system, await createUser(system));
    await sessions.updateOne({ _id: sessionIdOf(tokens) }, { $set: { expiresAt: new Date(Date.now() - 1) } });
    expect(codesOf(await refresh(system, tokens.refreshToken))).toEqual(['UNAUTHENTICATED']);
    const other = await login(system, await createUser(system));
    expect(await expireCredentials(system.app.models)).toBeGreaterThan(0);
    expect(await sessions.findById(sessionIdOf(tokens))).toBeNull();
    expect(await sessions.findById(sessionIdOf(other))).not.toBeNull();
  });

  // Shows: 164.312(a)(2)(iii)
  test('gives an access token that ends no later than the session', async () => {
    const tokens = await login(system, await createUser(system));
    const expiresAt = new Date(Date.now() + 60_000);
    await sessions.updateOne({ _id: sessionIdOf(tokens) }, { $set: { expiresAt } });
    const { expiresAt: tokenExpiresAt } = await refreshed(tokens.refreshToken);
    expect(new Date(tokenExpiresAt).getTime()).toBeLessThanOrEqual(expiresAt.getTime());
  });
});

describe('a refresh token that is used twice', () => {
  // Shows: 164.312(d)
  test('ends the session for both the thief and the user, and is flagged', async () => {
    const user = await createUser(system);
    const stolen = await login(system, user);
    const other = await login(system, user);
    const robbed = await refreshed(stolen.refreshToken);
    await later(stolen);
    audit.events.length = 0;
    expect(codesOf(await refresh(system, stolen.refreshToken))).toEqual(['UNAUTHENTICATED']);
    expect(audit.events).toMatchObject([
      {
        action: 'session:refresh-reused',
        outcome: 'DENIED',
        flagged: true,
        actor: { username: user.username },
        subject: { kind: 'USER', id: user.id },
      },
    ]);
    expect(codesOf(await refresh(system, robbed.refreshToken))).toEqual(['UNAUTHENTICATED']);
    for (const { accessToken } of [stolen, robbed])
      expect(await refusalsOf(system, accessToken)).toEqual(['UNAUTHENTICATED']);
    expect(await sessions.findById(sessionIdOf(stolen))).toMatchObject({ endedBy: 'REUSE' });
    // The user's other session continues.
    expect(await refusalsOf(system, other.accessToken)).toEqual([]);
    expect(codesOf(await refresh(system, other.refreshToken))).toEqual([]);
  });

  test('ends the session, however old the token is', async () => {
    const first = await login(system, await createUser(system));
    let tokens = first;
    for (let use = 0; use < 25; use++) tokens = await refreshed(tokens.refreshToken);
    // No seconds need to pass: only the latest token that was used gives its successor again.
    expect(codesOf(await refresh(system, first.refreshToken))).toEqual(['UNAUTHENTICATED']);
    expect(await refusalsOf(system, tokens.accessToken)).toEqual(['UNAUTHENTICATED']);
  });

  test('within ten seconds gives the same successor, which works', async () => {
    const first = await login(system, await createUser(system));
    const [second, repeated] = [await refreshed(first.refreshToken), await refreshed(first.refreshToken)];
    expect(repeated.refreshToken).toBe(second.refreshToken);
    for (const { accessToken } of [second, repeated]) expect(await refusalsOf(system, accessToken)).toEqual([]);
    expect((await refreshed(second.refreshToken)).refreshToken).not.toBe(second.refreshToken);
  });

  test('at the same moment gives the same successor to all, and the session goes on', async () => {
    for (let round = 0; round < 5; round++) {
      const { refreshToken } = await login(system, await createUser(system));
      const answers = await Promise.all(Array.from({ length: 4 }, () => refresh(system, refreshToken)));
      const given = new Set(answers.map(({ data }) => data?.refresh.refreshToken));
      expect(given.size).toBe(1);
      expect(codesOf(await refresh(system, [...given][0]!))).toEqual([]);
    }
  });

  // Shows: 164.312(d)
  test('within ten seconds ends the session when its successor was used already', async () => {
    const stolen = await login(system, await createUser(system));
    const robbed = await refreshed((await refreshed(stolen.refreshToken)).refreshToken);
    expect(codesOf(await refresh(system, stolen.refreshToken))).toEqual(['UNAUTHENTICATED']);
    expect(await refusalsOf(system, robbed.accessToken)).toEqual(['UNAUTHENTICATED']);
  });

  test('by a thief and a user within ten seconds ends the session at the next refresh of one of them', async () => {
    const stolen = await login(system, await createUser(system));
    const [user, thief] = [await refreshed(stolen.refreshToken), await refreshed(stolen.refreshToken)];
    await refreshed(user.refreshToken);
    await later(stolen);
    expect(codesOf(await refresh(system, thief.refreshToken))).toEqual(['UNAUTHENTICATED']);
    expect(await sessions.findById(sessionIdOf(stolen))).toMatchObject({ endedBy: 'REUSE' });
  });

  test('ends the session even when that cannot be recorded', async () => {
    const stolen = await login(system, await createUser(system));
    const robbed = await refreshed(stolen.refreshToken);
    await later(stolen);
    audit.fail(new ServiceUnavailableError('no trail'));
    expect(codesOf(await refresh(system, stolen.refreshToken))).toEqual(['SERVICE_UNAVAILABLE']);
    audit.fail(undefined);
    expect(await refusalsOf(system, robbed.accessToken)).toEqual(['UNAUTHENTICATED']);
  });

  test('to log out ends the session, too', async () => {
    const stolen = await login(system, await createUser(system));
    const robbed = await refreshed(stolen.refreshToken);
    await later(stolen);
    expect((await logout(stolen.refreshToken)).data).toEqual({ logout: { ended: false } });
    expect(await refusalsOf(system, robbed.accessToken)).toEqual(['UNAUTHENTICATED']);
  });
});

test('a stranger with invented tokens ends no session', async () => {
  const tokens = await login(system, await createUser(system));
  const id = sessionIdOf(tokens);
  const secret = randomBytes(32).toString('base64url');
  for (const forged of [
    '',
    'rgr_',
    `rgr_${id.slice(0, 22)}_${secret}`,
    `rgr_${randomBytes(16).toString('base64url')}_${secret}`,
    `${tokens.refreshToken}x`,
    tokens.accessToken,
    '{"$ne": null}',
  ]) {
    expect(codesOf(await refresh(system, forged.slice(0, 200)))).toEqual(['UNAUTHENTICATED']);
    expect((await logout(forged.slice(0, 200))).data).toEqual({ logout: { ended: false } });
  }
  expect(codesOf(await refresh(system, tokens.refreshToken))).toEqual([]);
});

// Shows: 164.312(a)(2)(iii)
test('a logout ends the session, and neither of its tokens works any more', async () => {
  const user = await createUser(system);
  const tokens = await login(system, user);
  audit.events.length = 0;
  expect((await logout(tokens.refreshToken)).data).toEqual({ logout: { ended: true } });
  expect(audit.events).toMatchObject([
    { action: 'session:logout', outcome: 'ALLOWED', actor: { username: user.username } },
  ]);
  expect(await refusalsOf(system, tokens.accessToken)).toEqual(['UNAUTHENTICATED']);
  expect(codesOf(await refresh(system, tokens.refreshToken))).toEqual(['UNAUTHENTICATED']);
  expect((await logout(tokens.refreshToken)).data).toEqual({ logout: { ended: false } });
});

test('a refresh gives the current rights, and none to a user who may no longer log in', async () => {
  const user = await createUser(system);
  const tokens = await login(system, user);
  await asAdmin(system, updateUserMutation, { input: { id: user.id, disabled: true } });
  expect(codesOf(await refresh(system, tokens.refreshToken))).toEqual(['UNAUTHENTICATED']);
  expect(codesOf(await system.post(loginMutation, { input: credentialOf(user) }))).toEqual(['INVALID_CREDENTIALS']);
  await asAdmin(system, updateUserMutation, { input: { id: user.id, disabled: false, role: 'ANALYST' } });
  expect(codesOf(await refresh(system, tokens.refreshToken))).toEqual(['UNAUTHENTICATED']);
  const { data } = await system.post<{ login: Tokens & { viewer: { role: string } } }>(loginMutation, {
    input: credentialOf(user),
  });
  expect(data!.login.viewer.role).toBe('ANALYST');
});

test('a user who is disabled between the check of the password and the start of the session gets none', async () => {
  const user = await createUser(system);
  for (const change of [{ disabled: true }, { disabled: false, role: 'ANALYST' }]) {
    const checked = await system.app.models.users.findById(user.id).lean<User>().orFail();
    await asAdmin(system, updateUserMutation, { input: { id: user.id, ...change } });
    await expect(
      system.app.identity.sessions.begin(checked, { requestId: 'begin', address: '127.0.0.1' }),
    ).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await sessions.countDocuments({ user: checked._id, endedAt: { $exists: false } })).toBe(0);
  }
});

test('a session that is ended between the check of its refresh token and its use gives no tokens', async () => {
  const user = await createUser(system);
  await login(system, user);
  const store = createSessionStore(
    system.app.models,
    system.app.scopeOf,
    system.app.identity.revocations.revoke,
    3_600_000,
  );
  const { session, refreshToken } = await store.begin(
    await system.app.models.users.findById(user.id).lean<User>().orFail(),
    '127.0.0.1',
  );
  await store.end(session, SessionEnd.LOGOUT);
  expect(await store.rotate(parseRefreshToken(refreshToken)!, newRefreshToken())).toBeNull();
});

test('a user who is disabled while logging in gets nothing that works', async () => {
  for (let round = 0; round < 5; round++) {
    const user = await createUser(system);
    const [answer] = await Promise.all([
      system.post<{ login: Tokens }>(loginMutation, { input: credentialOf(user) }),
      asAdmin(system, updateUserMutation, { input: { id: user.id, disabled: true } }),
    ]);
    if (answer.data) {
      expect(await refusalsOf(system, answer.data.login.accessToken)).toEqual(['UNAUTHENTICATED']);
      expect(codesOf(await refresh(system, answer.data.login.refreshToken))).toEqual(['UNAUTHENTICATED']);
    } else expect(['UNAUTHENTICATED', 'INVALID_CREDENTIALS']).toContain(codesOf(answer)[0]);
  }
});

test('no token is given and no session starts while this cannot be recorded', async () => {
  const user = await createUser(system);
  const tokens = await login(system, user);
  const before = await sessions.countDocuments();
  audit.fail(new ServiceUnavailableError('no trail'));
  for (const answer of [
    await system.post(loginMutation, { input: credentialOf(user) }),
    await refresh(system, tokens.refreshToken),
  ]) {
    expect(codesOf(answer)).toEqual(['SERVICE_UNAVAILABLE']);
    expect(answer.data).toBeNull();
  }
  audit.fail(undefined);
  expect(await sessions.countDocuments()).toBe(before);
  // The refresh token is still unused.
  expect(codesOf(await refresh(system, tokens.refreshToken))).toEqual([]);
});
