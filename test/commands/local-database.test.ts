import { mkdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { namespace } from '../support/namespace.js';
import { runCommand, runWholeCommand } from '../support/run-command.js';
import { goodPassword } from '../support/identity.js';
import { testEncryptionKeys, testSecretKey } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const secrets = { SECRET_KEY: testSecretKey, ENCRYPTION_KEYS: testEncryptionKeys };

describe('a command without a database', () => {
  test.each<[string, string[]]>([
    ['token', ['token', '--role', 'ADMIN']],
    ['user create', ['user', 'create', '--org', 'demo', '--create-org', '--username', 'ada', '--role', 'ADMIN']],
    ['user list', ['user', 'list', '--org', 'demo']],
    ['seed', ['seed', '--patients', '1']],
    ['keys status', ['keys', 'status']],
    ['audit verify', ['audit', 'verify']],
    ['model list', ['model', 'list']],
  ])('%s refuses to make a second one by accident', async (_name, given) => {
    const directory = join(await temporaryDirectory(), 'data');
    const { code, output, errors } = await runCommand(given, { ...secrets, DATA_DIRECTORY: directory }, goodPassword);
    expect({ code, output }).toEqual({ code: 1, output: '' });
    expect(errors).toMatch(
      new RegExp(
        `^error: There is no database in ${directory}: start "riskgraph up" first, or name the data directory`,
      ),
    );
    expect(errors.trim().split('\n')).toHaveLength(1);
    expect(existsSync(directory)).toBe(false);
  });

  test('token makes one with --create, says where it is, and finds it again', async () => {
    const directory = await temporaryDirectory();
    const environment = { ...secrets, DATA_DIRECTORY: directory };
    const first = await runWholeCommand(['token', '--role', 'ADMIN', '--create'], environment);
    expect(first).toMatchObject({
      code: 0,
      errors: `database: the one in ${directory}, started for this command\n`,
    });
    expect(first.output).toMatch(/^ey[^\n]*\n$/);
    const second = await runWholeCommand(['token', '--role', 'ADMIN'], environment);
    expect(second).toMatchObject({ code: 0, errors: `database: the one in ${directory}, started for this command\n` });
  });
});

describe('a command with MONGO_URI', () => {
  const { mongoUri, redisUrl } = namespace();
  const environment = { ...secrets, MONGO_URI: mongoUri, REDIS_URL: redisUrl };

  test('says which database it works on, without a password', async () => {
    const { errors } = await runWholeCommand(['token', '--role', 'ADMIN'], environment);
    expect(errors).toMatch(/^database: \S+ at \S+, named by MONGO_URI\n$/);
    expect(errors).not.toMatch(/mongodb:|@/);
  });

  test.each<[string, string[]]>([
    ['token', ['token', '--role', 'ADMIN']],
    ['user create', ['user', 'create', '--username', 'ada', '--role', 'ADMIN']],
    ['seed', ['seed', '--patients', '1']],
  ])('%s makes no organization of a typing error', async (_name, given) => {
    expect(await runCommand([...given, '--org', 'dmeo'], environment, goodPassword)).toEqual({
      code: 1,
      output: '',
      errors: 'error: There is no organization "dmeo": check --org, or make it with --create-org.\n',
    });
    expect(
      await runCommand([...given, '--org', `made-${given[0]!}`, '--create-org'], environment, goodPassword),
    ).toMatchObject({
      code: 0,
    });
  });
});

test('a data directory that holds other files only gets no database', async () => {
  const directory = await temporaryDirectory();
  await mkdir(join(directory, 'redis'));
  const { code } = await runCommand(['token', '--role', 'ADMIN'], { ...secrets, DATA_DIRECTORY: directory });
  expect(code).toBe(1);
});
