import { describe, expect, test } from 'vitest';
import { createUser, credentialOf, goodPassword, login, loginMutation, refusalsOf } from '../support/identity.js';
import { connectSocket } from '../support/raw-socket.js';
import { runCommand, type Outcome } from '../support/run-command.js';
import { codesOf, startSystem, testEncryptionKeys, testSecretKey } from '../support/system.js';

const system = await startSystem({ worker: false });
const { mongoUri, redisUrl, redisPrefix } = system.app.config;

/**
 * Runs the command as an operator does in production, while the API runs.
 * @param input the text of its standard input
 */
function riskgraph(input: string, ...argumentsGiven: readonly string[]): Promise<Outcome> {
  const environment = {
    NODE_ENV: 'production',
    SECRET_KEY: `${testSecretKey}+1`,
    MONGO_URI: mongoUri,
    REDIS_URL: redisUrl,
    REDIS_PREFIX: redisPrefix,
    ENCRYPTION_KEYS: testEncryptionKeys,
  };
  return runCommand(['user', ...argumentsGiven], environment, input);
}

describe('riskgraph user', () => {
  // Shows: 164.312(a)(2)(ii)
  test('create makes the first ADMIN of a new organization, who logs in', async () => {
    const created = await riskgraph(
      `${goodPassword}\n`,
      'create',
      '--create-org',
      '--org',
      'mercy',
      '--username',
      'Root.Admin',
      '--role',
      'ADMIN',
    );
    expect(created).toEqual({ code: 0, output: 'The user root.admin (ADMIN) of mercy was created\n', errors: '' });
    const { accessToken } = await login(system, {
      id: '',
      organization: 'mercy',
      username: 'root.admin',
      password: goodPassword,
    });
    expect(
      (await system.post('{ viewer { role organization { slug } } users { totalCount } }', undefined, accessToken))
        .data,
    ).toEqual({ viewer: { role: 'ADMIN', organization: { slug: 'mercy' } }, users: { totalCount: 1 } });
  });

  test.each<[string, string, string, RegExp]>([
    ["a password of the policy's", 'short', 'new-one', /^error: password: must have 12 to 128 characters\n$/],
    ['any password', '', 'new-one', /^error: No password was given: [^\n]*\n$/],
    ['a username', goodPassword, '--', /^error: username: must have 2 to 64 characters[^\n]*\n$/],
  ])(
    'create refuses without %s, in one line, and makes no organization',
    async (_name, password, username, message) => {
      const refused = await riskgraph(
        password,
        'create',
        '--create-org',
        '--org',
        'never-made',
        `--username=${username}`,
        '--role',
        'ADMIN',
      );
      expect([refused.code, refused.output]).toEqual([1, '']);
      expect(refused.errors).toMatch(message);
      expect(await system.app.models.organizations.exists({ slug: 'never-made' })).toBeNull();
    },
  );

  test('accepts no password as an argument', async () => {
    const refused = await riskgraph(
      '',
      'create',
      '--org',
      'alpha',
      '--username',
      'somebody',
      '--role',
      'ADMIN',
      '--password',
      goodPassword,
    );
    expect(refused.code).toBe(1);
    expect(refused.errors).toContain("unknown option '--password'");
  });

  test('create refuses a name that is taken', async () => {
    const { username } = await createUser(system);
    expect(
      await riskgraph(goodPassword, 'create', '--org', 'alpha', '--username', username, '--role', 'ADMIN'),
    ).toMatchObject({ code: 1, errors: expect.stringMatching(/^error: Another user[^\n]*\n$/) });
  });

  test('disable shuts a user out of the running API, and enable lets the user in again', async () => {
    const user = await createUser(system);
    const { accessToken } = await login(system, user);
    const socket = await connectSocket(system.url, accessToken);
    expect(await riskgraph('', 'disable', '--org', 'alpha', '--username', user.username)).toEqual({
      code: 0,
      output: `The user ${user.username} of alpha is disabled\n`,
      errors: '',
    });
    expect((await socket.closed).code).toBe(4403);
    expect(await refusalsOf(system, accessToken)).toEqual(['UNAUTHENTICATED']);
    expect(codesOf(await system.post(loginMutation, { input: credentialOf(user) }))).toEqual(['INVALID_CREDENTIALS']);

    expect((await riskgraph('', 'enable', '--org', 'alpha', '--username', user.username)).code).toBe(0);
    const again = await login(system, user);
    await expect.poll(() => refusalsOf(system, again.accessToken)).toEqual([]);
  });

  test('set-password ends the sessions, and the user logs in with the new password', async () => {
    const user = await createUser(system);
    const { accessToken } = await login(system, user);
    const socket = await connectSocket(system.url, accessToken);
    expect(
      await riskgraph('seven slow otters at dawn', 'set-password', '--org', 'alpha', '--username', user.username),
    ).toMatchObject({ code: 0, errors: '' });
    expect((await socket.closed).code).toBe(4403);
    await login(system, { ...user, password: 'seven slow otters at dawn' });
  });

  test('list prints the users; a missing user or organization is named in the error', async () => {
    await createUser(system, { organization: 'listed', username: 'bea', role: 'ANALYST' });
    expect(await riskgraph('', 'list', '--org', 'listed')).toEqual({
      code: 0,
      output: `${'bea'.padEnd(24)} ANALYST    enabled\n`,
      errors: '',
    });
    expect(await riskgraph('', 'disable', '--org', 'listed', '--username', 'nobody')).toMatchObject({
      code: 1,
      errors: 'error: There is no user "nobody" in listed: see "riskgraph user list --org listed".\n',
    });
    expect(await riskgraph('', 'list', '--org', 'not-there')).toMatchObject({
      code: 1,
      errors: 'error: There is no organization "not-there": check --org, or make it with --create-org.\n',
    });
  });

  test('disable refuses the last administrator', async () => {
    await createUser(system, { organization: 'one-admin', username: 'only', role: 'ADMIN' });
    expect(await riskgraph('', 'disable', '--org', 'one-admin', '--username', 'only')).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/^error: The organization would be left without an enabled ADMIN[^\n]*\n$/),
    });
  });
});
