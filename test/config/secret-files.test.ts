import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { execFileSync } from 'node:child_process';
import { loadConfig } from '../../src/config/config.js';
import { fileVariable, secretSettings } from '../../src/config/secret-files.js';
import { settings } from '../../src/config/settings.js';
import { runCommand } from '../support/run-command.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const secrets: Readonly<Record<string, string>> = {
  MONGO_URI: 'mongodb://user:p%40ss@db.internal/riskgraph',
  REDIS_URL: 'redis://:hunter2@cache.internal:6379',
  SECRET_KEY: 'Zk3v9Qw7xY1pLr5tBn8mCd2fGh4jKs6a',
  ENCRYPTION_KEYS: `2026-1:${randomBytes(32).toString('hex')}`,
};

/** Writes a secret file. @returns its path */
async function secretFile(content: string | Uint8Array, mode = 0o400): Promise<string> {
  const path = join(await temporaryDirectory(), 'secret');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

/** The message that refuses an environment. */
function refusal(environment: Readonly<Record<string, string>>): string {
  try {
    loadConfig(environment);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('The environment was accepted');
}

test('every setting that may hold a secret can be a file', () => {
  expect([...secretSettings]).toEqual(expect.arrayContaining(Object.keys(secrets)));
  const looksSecret = /SECRET|PASSWORD|_KEYS?$|(?:MONGO_URI|REDIS_URL|_DSN)$|TOKEN$/;
  expect(settings.map(({ name }) => name).filter((name) => looksSecret.test(name))).toEqual(
    expect.arrayContaining(['SECRET_KEY']),
  );
  expect(
    settings.map(({ name }): string => name).filter((name) => looksSecret.test(name) && !secretSettings.includes(name)),
  ).toEqual([]);
});

test('the file of a secret is a variable of its own, and no other setting has that name', () => {
  const names = settings.map(({ name }): string => name);
  expect(secretSettings.map(fileVariable).filter((name) => names.includes(name))).toEqual([]);
});

test.each(['', '\n', '\r\n'])('secrets in files are the same as secrets in variables (end %j)', async (end) => {
  const files = await Promise.all(
    Object.entries(secrets).map(async ([name, value]) => [fileVariable(name), await secretFile(value + end)]),
  );
  const expected = loadConfig({ NODE_ENV: 'production', ...secrets });
  expect(loadConfig({ NODE_ENV: 'production', ...(Object.fromEntries(files) as Record<string, string>) })).toEqual(
    expected,
  );
});

describe('refused with one line that has nothing of the secret:', () => {
  test('a secret that is given in both ways', async () => {
    const path = await secretFile('one');
    expect(refusal({ SECRET_KEY: 'other', SECRET_KEY_FILE: path })).toBe(
      'Configuration: SECRET_KEY_FILE: is set, and so is SECRET_KEY: keep one of the two',
    );
  });

  test.each([
    ['an empty file', '', 'is empty: write the secret into it'],
    ['only a line break', '\n', 'is empty: write the secret into it'],
    ['two lines', 'hunter2\nhunter3\n', 'has more than one line: write only the secret into it'],
    ['bytes that are no text', Uint8Array.of(0xff, 0xfe, 0x41), 'is not UTF-8 text: write the secret itself into it'],
    ['too many bytes', 'hunter2'.repeat(10_000), 'has more than 65536 bytes'],
  ])('%s', async (_, content, reason) => {
    const path = await secretFile(content);
    expect(refusal({ SECRET_KEY_FILE: path })).toBe(`Configuration: SECRET_KEY_FILE: ${path} ${reason}`);
  });

  test.each([0o420, 0o402, 0o666])('a file that other users can change (mode %o)', async (mode) => {
    const path = await secretFile('hunter2', mode);
    expect(refusal({ MONGO_URI_FILE: path })).toBe(
      `Configuration: MONGO_URI_FILE: ${path} can be changed by other users: chmod go-w`,
    );
  });

  test('a path that does not exist, a folder, and a pipe that has no writer', async () => {
    const folder = await temporaryDirectory();
    const [missing, inner, pipe] = ['missing', 'inner', 'pipe'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    mkdirSync(inner);
    execFileSync('mkfifo', [pipe]);
    expect(
      refusal({ MONGO_URI_FILE: missing, REDIS_URL_FILE: inner, SECRET_KEY_FILE: pipe, NODE_ENV: 'production' }),
    ).toBe(
      `Configuration: MONGO_URI_FILE: ${missing} does not exist; REDIS_URL_FILE: ${inner} is not a file; ` +
        `SECRET_KEY_FILE: ${pipe} is not a file`,
    );
  });

  test('a secret in a file that its setting refuses', async () => {
    const message = refusal({ MONGO_URI_FILE: await secretFile('http://root:hunter2@db') });
    expect(message).toBe('Configuration: MONGO_URI: must start with mongodb:// or mongodb+srv://');
  });
});

test('the file of a private key may have the comments of age-keygen', async () => {
  const key = 'AGE-SECRET-KEY-1QQQ';
  const path = await secretFile(`# created: today\n# public key: age1qqq\n${key}\n`);
  expect(loadConfig({ BACKUP_IDENTITY_FILE: path }).backup.identity).toBe(key);
  expect(refusal({ BACKUP_IDENTITY_FILE: await secretFile('# no key\n') })).toContain(
    'is empty: write the secret into it',
  );
  expect(refusal({ BACKUP_IDENTITY_FILE: await secretFile(`${key}\n${key}\n`) })).toContain('has more than one line');
});

test('an empty variable counts as unset, also for a file', () => {
  expect(loadConfig({ SECRET_KEY_FILE: '', SECRET_KEY: 'from the variable' }).secretKey).toBe('from the variable');
});

test('the command line reads secrets from files', async () => {
  const { code, output } = await runCommand(['config', 'check'], {
    SECRET_KEY_FILE: await secretFile('Zk3v9Qw7xY1pLr5tBn8mCd2fGh4jKs6a\n'),
    DATA_DIRECTORY: await temporaryDirectory(),
  });
  expect({ code, settings: output.split('\n')[0] }).toEqual({
    code: 0,
    settings: 'ok   settings: accepted for development',
  });
});

test('the drop-in of systemd hands over every secret file of the settings, and the settings keep no line of one', async () => {
  const folder = await temporaryDirectory();
  const names = [...secretSettings, 'MONGO_TLS_KEY', 'REDIS_TLS_CA'].map(fileVariable);
  const file = join(folder, '.env');
  const others = [
    'NODE_ENV=production',
    '# SECRET_KEY_FILE=/etc/riskgraph/secrets/old',
    'LOG_FILE=/var/log/riskgraph/log',
  ];
  const lines = names.map(
    (name, at) => `${name}=${at % 2 ? '"' : ''}/etc/riskgraph/secrets/${name.toLowerCase()}${at % 2 ? '"' : ''}`,
  );
  writeFileSync(file, [...others, ...lines, ''].join('\n'));
  const run = (part: string): string =>
    execFileSync('sh', ['ops/systemd/secrets.sh', part, file], { encoding: 'utf8' });
  const handed = (text: string) =>
    [...text.matchAll(/^Environment=(\w+)=%d\/(\w+)$/gm)].map(([, name, id]) => [name, id]);
  const worker = run('worker');
  expect(worker).toMatch(/^\[Service\]$/m);
  expect(handed(worker)).toEqual(names.map((name) => [name, name.toLowerCase()]));
  expect([...worker.matchAll(/^LoadCredential=(\w+):(\S+)$/gm)].map(([, id, path]) => [id, path])).toEqual(
    names.map((name) => [name.toLowerCase(), `/etc/riskgraph/secrets/${name.toLowerCase()}`]),
  );
  // An API makes no backups, and needs no key of them.
  expect(handed(run('api')).map(([name]) => name)).toEqual(names.filter((name) => !name.startsWith('BACKUP_')));
  expect(run('settings').trim().split('\n')).toEqual(others);
});
