/** Covers src/identity/passwords/passwords.ts, src/identity/passwords/password-policy.ts. */
// Threat: an attacker with a copy of the databases or of the log looks for passwords and tokens, or guesses them
// from their hashes.

import { hash, parseOptions } from '@node-rs/argon2';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { Writable } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { argon2Parameters } from '../../src/identity/passwords/passwords.js';
import { asAdmin, createUser, credentialOf, goodPassword, login, loginMutation } from '../support/identity.js';
import { codesOf, startSystem } from '../support/system.js';

const lines: string[] = [];
const logger = pino(
  { level: 'trace' },
  new Writable({ write: (chunk: Buffer, _encoding, done) => (lines.push(chunk.toString()), done()) }),
);
const system = await startSystem({ logger });

/** Everything that this system has in MongoDB and Redis, as text. */
async function everythingStored(): Promise<string> {
  const redis = new Redis(system.app.config.redisUrl!);
  onTestFinished(() => redis.disconnect());
  const documents = await Promise.all(
    Object.values(system.app.models).map((model) => model.collection.find({}).toArray()),
  );
  const keys = await redis.keys(`${system.app.config.redisPrefix}*`);
  const dumps = await Promise.all(keys.map(async (key) => (await redis.dumpBuffer(key))?.toString('latin1')));
  return JSON.stringify([documents, keys, dumps]);
}

const passwordHashOf = async (username: string): Promise<string> =>
  (await system.app.models.users.findOne({ username }).orFail()).passwordHash!;

describe('a password at rest', () => {
  // Shows: 164.312(d)
  test('is an argon2id hash with a salt per user, at least as costly as OWASP requires', async () => {
    const first = await createUser(system);
    const second = await createUser(system);
    const [one, other] = [await passwordHashOf(first.username), await passwordHashOf(second.username)];
    expect(one).toMatch(/^\$argon2id\$v=19\$/);
    expect(one).not.toBe(other);
    const { memoryCost, timeCost, saltLen, outputLen } = parseOptions(one);
    expect(memoryCost).toBeGreaterThanOrEqual(47_104);
    expect(timeCost * memoryCost).toBeGreaterThanOrEqual(2 * 19_456);
    expect([saltLen, outputLen]).toEqual([16, 32]);
  });

  test('is nowhere in MongoDB, Redis or the log after every use, and neither are tokens of a session', async () => {
    const user = await createUser(system, { password: 'Canary password 4711' });
    const tokens = await login(system, user);
    await system.post(loginMutation, { input: { ...credentialOf(user), password: 'Canary guess 4711' } });
    const { data } = await system.post<{ changePassword: typeof tokens }>(
      'mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { accessToken refreshToken } }',
      { input: { currentPassword: user.password, newPassword: 'Canary second 4711' } },
      tokens.accessToken,
    );
    const { createApiKey } = await asAdmin<{ createApiKey: { key: string } }>(
      system,
      'mutation { createApiKey(input: { name: "k", scopes: ["viewer:read"] }) { key } }',
      {},
    );
    await system.post('{ viewer { username } }', undefined, createApiKey.key);
    const secrets = [tokens, data!.changePassword].flatMap(({ accessToken, refreshToken }) => [
      accessToken,
      refreshToken,
      refreshToken.slice(4, 26),
      refreshToken.slice(-43),
    ]);
    const everything = (await everythingStored()) + lines.join('');
    expect(everything).toContain(user.username);
    for (const secret of ['Canary', createApiKey.key, createApiKey.key.slice(-43), ...secrets])
      expect(everything).not.toContain(secret);
  });

  test('is hashed again at the next login after the cost was raised, but not by a wrong password', async () => {
    const user = await createUser(system);
    const old = await hash(user.password, { ...argon2Parameters, memoryCost: 19_456 });
    await system.app.models.users.updateOne({ username: user.username }, { $set: { passwordHash: old } });
    await system.post(loginMutation, { input: { ...credentialOf(user), password: 'not that one at all' } });
    expect(await passwordHashOf(user.username)).toBe(old);
    await login(system, user);
    expect(parseOptions(await passwordHashOf(user.username)).memoryCost).toBe(argon2Parameters.memoryCost);
    const renewed = await passwordHashOf(user.username);
    await login(system, user);
    expect(await passwordHashOf(user.username)).toBe(renewed);
  });

  test('is in no field of the schema, and neither is any hash', async () => {
    const { data } = await system.post<{
      __schema: {
        types: { name: string; fields: { name: string }[] | null; inputFields: { name: string }[] | null }[];
      };
    }>('{ __schema { types { name fields { name } inputFields { name } } } }', undefined, await system.token('ADMIN'));
    const outputs = data!.__schema.types.flatMap(({ name, fields }) =>
      (fields ?? []).map((field) => `${name}.${field.name}`),
    );
    expect(outputs.filter((name) => /hash|secret|password/i.test(name)).sort()).toEqual([
      'AuditEvent.hash',
      'Mutation.changePassword',
      'Mutation.rotateWebhookSecret',
      'Mutation.setUserPassword',
      'User.hasPassword',
      'User.passwordChangedAt',
      // A secret that signs webhooks is no password, and is shown once.
      'WebhookEndpoint.previousSecretUntil',
      'WebhookSecretPayload.endpoint',
      'WebhookSecretPayload.secret',
    ]);
    const inputs = data!.__schema.types.flatMap(({ name, inputFields }) =>
      (inputFields ?? []).map((field) => `${name}.${field.name}`),
    );
    expect(inputs.filter((name) => /hash|secret/i.test(name.split('.')[1]!))).toEqual([]);
  });
});

describe('a password that is easy to guess', () => {
  const refusals: readonly [string, string, string][] = [
    ['short', 'Canary-4711', '12 to 128'],
    ['longer than any password', 'Canary '.repeat(20), '12 to 128'],
    ['well known', 'Password1234!', 'easy to guess'],
    ['one character again and again', 'aaaaaaaaaaaaaaaa', 'easy to guess'],
    ['in order', '123456789012', 'easy to guess'],
    ['the username with something around it', 'xx Guess-Me 4711 xx', 'username'],
  ];
  test.each(refusals)('is refused: %s', async (_name, password, reason) => {
    const admin = await system.token('ADMIN');
    const before = await system.counts();
    const created = await system.post(
      'mutation ($input: CreateUserInput!) { createUser(input: $input) { id } }',
      { input: { username: 'guess-me', role: 'ANALYST', password } },
      admin,
    );
    expect(created.errors![0]!.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ path: 'password', message: expect.stringContaining(reason) }],
    });
    expect(created.text).not.toContain(password);
    expect(await system.counts()).toEqual(before);
  });

  test('is refused by setUserPassword and changePassword too', async () => {
    const user = await createUser(system);
    const { accessToken } = await login(system, user);
    const set = await system.post(
      'mutation ($input: SetUserPasswordInput!) { setUserPassword(input: $input) { id } }',
      { input: { id: user.id, newPassword: 'short' } },
      await system.token('ADMIN'),
    );
    const change = 'mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { expiresAt } }';
    const changed = await system.post(
      change,
      { input: { currentPassword: goodPassword, newPassword: `${user.username} and more` } },
      accessToken,
    );
    const same = await system.post(
      change,
      { input: { currentPassword: goodPassword, newPassword: goodPassword } },
      accessToken,
    );
    for (const answer of [set, changed, same])
      expect(answer.errors![0]!.extensions).toMatchObject({
        code: 'BAD_USER_INPUT',
        fields: [{ path: 'newPassword' }],
      });
    expect(codesOf(await system.post(loginMutation, { input: credentialOf(user) }))).toEqual([]);
  });
});
