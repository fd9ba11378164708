/** Covers src/commands/backup.ts, src/commands/backup-parts.ts, src/backup/backup-settings.ts, src/config/public-settings.ts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { expect, test } from 'vitest';
import { unpackArchive } from '../../src/backup/archive.js';
import { createCatalogue } from '../../src/backup/catalogue.js';
import { createBackup } from '../../src/backup/create-backup.js';
import { createDirectoryStore } from '../../src/backup/directory-store.js';
import { lastBackups } from '../../src/backup/backup-records.js';
import { withScratchDatabase } from '../../src/commands/backup-parts.js';
import { loadConfig } from '../../src/config/config.js';
import { StartupError } from '../../src/errors.js';
import { claimData, dataVersion, newerData } from '../../src/storage/data-version.js';
import { namespace } from '../support/namespace.js';
import { cli, runCommand } from '../support/run-command.js';
import { scored } from '../support/scenario.js';
import { settingsFor, startSystem, testEncryptionKeys, testSecretKey } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);

async function keyFile(key: string): Promise<string> {
  const file = join(await temporaryDirectory(), 'key.txt');
  await writeFile(file, `# created today\n${key}\n`);
  return file;
}

/** A system with a prediction, and the settings of its backups. */
async function backedUpSystem() {
  const target = join(await temporaryDirectory(), 'backups');
  const system = await startSystem();
  await scored(await system.client('CLINICIAN'));
  const environment = {
    ...settingsFor(system.app.config),
    BACKUP_TARGET: target,
    BACKUP_RECIPIENTS: recipient,
    BACKUP_IDENTITY: identity,
  };
  return { target, system, environment };
}

test('backup key prints a pair of keys, as age-keygen does', async () => {
  const { output } = await runCommand(['backup', 'key'], {});
  const [, shown, key] = /^# public key: (age1\w+)\n(AGE-SECRET-KEY-1\w+)\n$/.exec(output)!;
  expect(await identityToRecipient(key!)).toBe(shown);
});

test('backup key --out writes a file that its owner alone may read, as BACKUP_IDENTITY_FILE takes it', async () => {
  const file = join(await temporaryDirectory(), 'key.txt');
  const { code, output } = await runCommand(['backup', 'key', '--out', file], {});
  expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/^# public key: age1\w+\n$/) });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const written = await readFile(file, 'utf8');
  expect(await identityToRecipient(loadConfig({ BACKUP_IDENTITY_FILE: file }).backup.identity!)).toBe(
    output.trim().split(' ').at(-1),
  );
  const again = await runCommand(['backup', 'key', '--out', file], {});
  expect(again.errors).toBe(
    `error: --out: ${file} is there already, and may hold the key of earlier backups: name a new file.\n`,
  );
  expect(await readFile(file, 'utf8')).toBe(written);
});

test('backup run makes a backup of a running system, tries it by a restore, and records both', async () => {
  const { target, system, environment } = await backedUpSystem();
  expect(await lastBackups(system.app.models)).toEqual({
    newest: undefined,
    completed: undefined,
    present: undefined,
    restored: undefined,
  });
  const made = await runCommand(['backup', 'run'], environment);
  expect(made).toMatchObject({ code: 0 });
  const [, name] = /^(riskgraph-\d{8}T\d{6}Z-[0-9a-f]{6}): \d+ documents, 0\.\d MB, in /.exec(made.output)!;
  expect(made.output).toMatch(
    /: restored in [\d.]+ s, \d+ documents and \d+ audit events as they were; the drill took/,
  );
  expect(made.output).toContain(`0 backups removed, 1 kept in ${target}\n`);
  const { completed, restored } = await lastBackups(system.app.models);
  expect(completed).toMatchObject({ _id: name, state: 'COMPLETED', documents: expect.any(Number) });
  expect(restored).toMatchObject({ _id: name, restoreSeconds: expect.any(Number), drillSeconds: expect.any(Number) });

  const listed = await runCommand(['backup', 'list'], environment);
  expect(listed.output).not.toContain('\u001b');
  expect(listed.output).toContain(name);
  expect(listed.output).toMatch(/, in [\d.]+ s/);

  // Settings are in the archive, and no secret.
  const settings: string[] = [];
  const archive = createReadStream(join(target, `${name}.tar.gz.age`));
  for await (const entry of unpackArchive(archive, identity, name!))
    if (entry.name === 'settings.json') settings.push(Buffer.from(entry.bytes).toString());
  expect(JSON.parse(settings.join())).toMatchObject({
    BACKUP_RECIPIENTS: recipient,
    BACKUP_IDENTITY: null,
    MONGO_URI: null,
    SECRET_KEY: null,
    ENCRYPTION_KEYS: null,
  });
  for (const secret of [identity, testSecretKey, testEncryptionKeys, system.app.config.mongoUri!])
    expect(settings.join()).not.toContain(secret);
});

test('backup restore brings a backup back into an empty database, and refuses another one and another key', async () => {
  const { target, system, environment } = await backedUpSystem();
  const { name } = await createBackup({
    database: system.app.database,
    models: system.app.models,
    catalogue: createCatalogue(createDirectoryStore(target)),
    recipients: [recipient],
    files: [],
    describe: String,
  });
  const full = await runCommand(['backup', 'restore', name, '--identity', await keyFile(identity)], environment);
  expect(full).toMatchObject({ code: 1, output: '' });
  expect(full.errors).toMatch(/error: The database test-\w+ is not empty: a backup is restored into an empty one only/);
  const { mongoUri, redisPrefix } = namespace();
  const empty = { ...environment, MONGO_URI: mongoUri, REDIS_PREFIX: redisPrefix };
  // The archive is enough.
  await rm(join(target, `${name}.json`));
  const listed = await runCommand(['backup', 'list'], environment);
  expect(listed.output).toMatch(new RegExp(`${name}.*not known.*not known.*not known`));
  expect(listed.output).toContain('not known: the .json of the backup is missing or cannot be read.');
  expect((await runCommand(['backup', 'verify'], environment)).output).toContain(`${name}: whole, `);
  const brought = await runCommand(['backup', 'restore', name], empty);
  expect(brought).toMatchObject({ code: 0 });
  expect(brought.output).toMatch(/: \d+ documents restored in [\d.]+ s\n/);
  expect(brought.output).toContain('alpha: 0 sessions and 0 API keys ended, and all other tokens\n');
  const again = await startSystem({ worker: false, environment: { MONGO_URI: mongoUri, REDIS_PREFIX: redisPrefix } });
  expect(await again.app.models.predictions.countDocuments()).toBe(1);

  const other = await keyFile(await generateX25519Identity());
  expect(await runCommand(['backup', 'verify', '--identity', other], environment)).toEqual({
    code: 1,
    output: '',
    errors: `error: ${name} cannot be decrypted with this key: give the private key of one of its recipients.\n`,
  });
});

test('a backup that fails is on record, and leaves no file', async () => {
  const directory = await temporaryDirectory();
  const system = await startSystem({ worker: false });
  await writeFile(join(directory, 'file'), '');
  const target = join(directory, 'file', 'backups');
  const environment = { ...settingsFor(system.app.config), BACKUP_RECIPIENTS: recipient };
  expect(await runCommand(['backup', 'create', '--target', target], environment)).toMatchObject({
    code: 1,
    output: '',
    errors: expect.stringMatching(/error: .*\/file\/backups does not exist, because a part of its path is a file/),
  });
  const { newest, completed } = await lastBackups(system.app.models);
  expect(completed).toBeUndefined();
  expect(newest).toMatchObject({ state: 'FAILED', failure: expect.stringContaining('a part of its path is a file') });
  expect(await readdir(directory)).not.toContain('backups');
});

test.each([
  ['create', {}, 'There is no place for backups: set BACKUP_TARGET, or give --target, e.g. /var/backups/riskgraph.'],
  ['create', { BACKUP_TARGET: 'x' }, 'BACKUP_RECIPIENTS is not set: name the public key that backups are encrypted to'],
  ['verify', { BACKUP_TARGET: 'x' }, 'BACKUP_IDENTITY is not set: give the private key of the backup there'],
])('backup %s with settings %j says what is missing', async (command, given, message) => {
  const environment = { ...settingsFor(namespace()), ...given };
  const { code, errors } = await runCommand(['backup', command], environment);
  expect({ code, lines: errors.trim().split('\n') }).toEqual({ code: 1, lines: [expect.stringContaining(message)] });
});

test('a drill by hand counts', async () => {
  const { system, environment } = await backedUpSystem();
  const made = await runCommand(['backup', 'create'], environment);
  expect((await lastBackups(system.app.models)).restored).toBeUndefined();
  const tried = await runCommand(['backup', 'verify', '--restore'], environment);
  expect(tried).toMatchObject({ code: 0 });
  expect((await lastBackups(system.app.models)).restored).toMatchObject({
    _id: made.output.split(':')[0],
    restoreSeconds: expect.any(Number),
    drillSeconds: expect.any(Number),
  });
});

test('a folder that is gone is not made again: its disk is not mounted', async () => {
  const { target, system, environment } = await backedUpSystem();
  expect(await runCommand(['backup', 'create'], environment)).toMatchObject({ code: 0 });
  await rm(target, { recursive: true });
  const message = `The folder ${target} is not there, and earlier backups were made: mount its disk, or make the folder if it is a new one.`;
  expect(await runCommand(['backup', 'create'], environment)).toEqual({
    code: 1,
    output: '',
    errors: expect.stringContaining(`error: ${message}\n`),
  });
  await expect(stat(target)).rejects.toThrow('ENOENT');
  expect((await lastBackups(system.app.models)).newest).toMatchObject({ state: 'FAILED', failure: message });
});

test('data of a newer release are not backed up', async () => {
  const { target, system, environment } = await backedUpSystem();
  await claimData(system.app.database, dataVersion + 1);
  const { code, errors } = await runCommand(['backup', 'create'], environment);
  expect([code, errors]).toEqual([1, `error: ${newerData(dataVersion + 1)}\n`]);
  await expect(stat(target)).rejects.toThrow('ENOENT');
  expect((await lastBackups(system.app.models)).newest).toBeUndefined();
});

test('a drill that is asked to end while its engine starts leaves nothing behind', async () => {
  const { environment } = await backedUpSystem();
  const folder = await temporaryDirectory();
  const drill = spawn(process.execPath, [cli, 'backup', 'run'], {
    env: { PATH: process.env.PATH, ...environment, TMPDIR: folder },
    stdio: 'ignore',
  });
  const ended = once(drill, 'exit');
  const isDrill = (name: string): boolean => name.startsWith('riskgraph-drill-');
  const files = async (): Promise<number> => (await readdir(folder, { recursive: true }).catch(() => [])).length;
  // The engine has begun to write, and is not ready yet.
  await expect.poll(files, { interval: 1 }).toBeGreaterThan(5);
  drill.kill('SIGTERM');
  await ended;
  expect((await readdir(folder)).filter(isDrill)).toEqual([]);
});

test('a full disk of the drill is that of TMPDIR', async () => {
  const full = Object.assign(new Error('No space left'), { code: 14_031 });
  await expect(withScratchDatabase(() => Promise.reject(full))).rejects.toThrow(
    new StartupError(
      `The disk of ${tmpdir()} is full, where the backup is restored to try it: make room, or name another folder in TMPDIR.`,
    ),
  );
});

test('a file without a private key is refused', async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'key.txt');
  await writeFile(file, '# nothing\n');
  const { errors } = await runCommand(['backup', 'verify', '--target', directory, '--identity', file], {});
  expect(errors).toBe(`error: ${file} holds no private key of age: it has a line that begins with AGE-SECRET-KEY-1.\n`);
  expect(await readFile(file, 'utf8')).toBe('# nothing\n');
});
