/** Covers src/identity/sessions/login-throttle.ts, src/identity/sessions/password-login.ts. */
// Threat: an attacker guesses the passwords of users, from one address or from many.

import { expect, onTestFinished, test } from 'vitest';
import { loginLimits } from '../../src/identity/sessions/login-throttle.js';
import { proxyTo } from '../support/cuttable-proxy.js';
import {
  createUser,
  credentialOf,
  listenToAudit,
  login,
  loginMutation,
  postFrom,
  sameDatabases,
  type TestUser,
  type Tokens,
} from '../support/identity.js';
import { codesOf, startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const second = await startSystem({ worker: false, ...sameDatabases(system) });
const audit = listenToAudit(system);

const wrong = (user: TestUser) => ({ ...credentialOf(user), password: 'this is not the one' });
const attempt = (user: TestUser, from: string, input = wrong(user), url = system.url) =>
  postFrom<{ login: Tokens }>(url, from, loginMutation, { input });
const times = (count: number, work: (index: number) => Promise<unknown>): Promise<unknown[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));

// Shows: 164.312(d)
test('an address that guesses at one account is stopped for a stated time, even with the right password', async () => {
  const user = await createUser(system);
  for (let number = 0; number < loginLimits.pair.points; number++)
    expect(codesOf(await attempt(user, '127.0.0.2'))).toEqual(['INVALID_CREDENTIALS']);
  const refused = await attempt(user, '127.0.0.2', credentialOf(user));
  expect(codesOf(refused)).toEqual(['RATE_LIMITED']);
  const { retryAfterSeconds } = refused.errors![0]!.extensions as { retryAfterSeconds: number };
  expect(retryAfterSeconds).toBeGreaterThan(loginLimits.pair.duration - 60);
  expect(retryAfterSeconds).toBeLessThanOrEqual(loginLimits.pair.duration);
});

// Shows: owasp/many-guesses
test('guesses made at the same time are counted like guesses made one after the other', async () => {
  const user = await createUser(system);
  const answers = await Promise.all(
    Array.from({ length: 3 * loginLimits.pair.points }, () => attempt(user, '127.0.0.2')),
  );
  expect(answers.flatMap(codesOf).filter((code) => code === 'INVALID_CREDENTIALS')).toHaveLength(
    loginLimits.pair.points,
  );
});

// Shows: owasp/system-resources
test('a refused attempt costs no argon2 verification, and is recorded once', async () => {
  const user = await createUser(system);
  await times(loginLimits.pair.points, () => attempt(user, '127.0.0.3'));
  audit.events.length = 0;
  const before = system.app.identity.passwords.verifications;
  for (let number = 0; number < 5; number++) await attempt(user, '127.0.0.3');
  expect(system.app.identity.passwords.verifications).toBe(before);
  expect(audit.events).toMatchObject([
    {
      action: 'session:login',
      outcome: 'DENIED',
      flagged: true,
      actor: { username: user.username, origin: { address: '127.0.0.3' } },
    },
  ]);
});

test('all API processes count together', async () => {
  const user = await createUser(system);
  await times(loginLimits.pair.points, (index) =>
    attempt(user, '127.0.0.4', wrong(user), index % 2 ? system.url : second.url),
  );
  for (const { url } of [system, second])
    expect(codesOf(await attempt(user, '127.0.0.4', credentialOf(user), url))).toEqual(['RATE_LIMITED']);
});

// Shows: 164.312(d)
test('a guesser does not lock out the user, who can log in from another address', async () => {
  const user = await createUser(system);
  await times(loginLimits.pair.points + 1, () => attempt(user, '127.0.0.5'));
  expect(codesOf(await attempt(user, '127.0.0.6', credentialOf(user)))).toEqual([]);
  // That login does not let the guesser continue either.
  expect(codesOf(await attempt(user, '127.0.0.5'))).toEqual(['RATE_LIMITED']);
});

test('many addresses that guess at one account are stopped, and the user at a familiar address is not', async () => {
  const user = await createUser(system);
  expect(codesOf(await attempt(user, '127.0.1.1', credentialOf(user)))).toEqual([]);
  await times(loginLimits.account.points, (index) => attempt(user, `127.0.2.${1 + Math.floor(index / 2)}`));
  expect(codesOf(await attempt(user, '127.0.3.1', credentialOf(user)))).toEqual(['RATE_LIMITED']);
  expect(codesOf(await attempt(user, '127.0.1.1', credentialOf(user)))).toEqual([]);
  // A login resets the count of its account.
  expect(codesOf(await attempt(user, '127.0.3.1', credentialOf(user)))).toEqual([]);
});

test('one address that guesses at many accounts is stopped, and successful logins do not count', async () => {
  const user = await createUser(system);
  for (let number = 0; number < 3; number++)
    expect(codesOf(await attempt(user, '127.0.4.1', credentialOf(user)))).toEqual([]);
  await times(loginLimits.address.points, (index) => attempt({ ...user, username: `unknown-${index}` }, '127.0.4.1'));
  const another = await createUser(system);
  expect(codesOf(await attempt(another, '127.0.4.1', credentialOf(another)))).toEqual(['RATE_LIMITED']);
  expect(codesOf(await attempt(user, '127.0.4.1', credentialOf(user)))).toEqual([]);
});

test('a login resets the count of its account at its address', async () => {
  const user = await createUser(system);
  for (let round = 0; round < 2; round++) {
    for (let number = 0; number < loginLimits.pair.points - 1; number++)
      expect(codesOf(await attempt(user, '127.0.0.7'))).toEqual(['INVALID_CREDENTIALS']);
    expect(codesOf(await attempt(user, '127.0.0.7', credentialOf(user)))).toEqual([]);
  }
});

// Shows: owasp/many-guesses
test('a thief of an access token cannot use changePassword to guess', async () => {
  const user = await createUser(system);
  const { accessToken } = await login(system, user);
  const guess = (currentPassword: string) =>
    system.post(
      'mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { expiresAt } }',
      { input: { currentPassword, newPassword: 'something quite new' } },
      accessToken,
    );
  for (let number = 0; number < loginLimits.pair.points; number++) {
    expect((await guess('this is not the one')).errors![0]!.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ path: 'currentPassword' }],
    });
  }
  expect(codesOf(await guess(user.password))).toEqual(['RATE_LIMITED']);
});

test('without Redis each process counts on its own', async () => {
  const proxy = await proxyTo(system.app.config.redisUrl!);
  onTestFinished(() => proxy.close());
  const { environment } = sameDatabases(system);
  const cutOff = await startSystem({ worker: false, environment: { ...environment, REDIS_URL: proxy.url } });
  const user = await createUser(system);
  proxy.cut();
  for (let number = 0; number < loginLimits.pair.points; number++)
    expect(codesOf(await attempt(user, '127.0.0.8', wrong(user), cutOff.url))).toEqual(['INVALID_CREDENTIALS']);
  expect(codesOf(await attempt(user, '127.0.0.8', credentialOf(user), cutOff.url))).toEqual(['RATE_LIMITED']);
});
