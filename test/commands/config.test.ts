import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { createModels } from '../../models/index.js';
import { connectDatabase } from '../../src/storage/database.js';
import { claimData, dataVersion } from '../../src/storage/data-version.js';
import { beginRestore, endRestore } from '../../src/storage/unfinished-restore.js';
import { freePort } from '../support/free-port.js';
import { namespace } from '../support/namespace.js';
import { ownRedis } from '../support/own-redis.js';
import { runCommand, runWholeCommand } from '../support/run-command.js';
import { settingsFor } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const check = (environment: Record<string, string | undefined>) => runCommand(['config', 'check'], environment);

test('config check says one line for each part of a deployment that is right', async () => {
  const { code, output, errors } = await check(settingsFor(namespace()));
  expect([errors, output.match(/^FAIL.*/gm), code]).toEqual(['', null, 0]);
  const lines = output.trim().split('\n');
  expect(lines.map((line) => line.split(':')[0])).toEqual([
    'ok   settings',
    'ok   MongoDB',
    'ok   clock of MongoDB',
    'ok   stored data',
    'ok   encryption keys',
    'ok   Redis',
    'ok   risk models',
    'ok   disk of temporary files',
  ]);
  expect(output).toMatch(/^ok {3}MongoDB: \d[\w.-]*, a server that stands alone, a write waits for its journal$/m);
  expect(output).toMatch(/^ok {3}Redis: [\d.]+, maxmemory-policy noeviction, an append-only file$/m);
  expect(output).toContain('ok   risk models: heart-disease@1.0.0\n');
});

test('config check fails for newer data, a Redis that drops entries, and databases that are away', async () => {
  const place = namespace();
  const database = await connectDatabase(place.mongoUri);
  createModels(database);
  await claimData(database, dataVersion + 1);
  await database.close();
  const { url, operator } = await ownRedis();
  await operator.config('SET', 'maxmemory-policy', 'allkeys-lru');
  const wrong = await check({ ...settingsFor(place), REDIS_URL: url });
  expect(wrong.code).toBe(1);
  expect(wrong.output).toContain(
    `FAIL stored data: of version ${dataVersion + 1}, and this release knows ${dataVersion}: start a newer release\n`,
  );
  expect(wrong.output).toContain(
    'FAIL Redis: it drops entries when its memory is full: set maxmemory-policy to noeviction\n',
  );

  const nowhere = `127.0.0.1:${await freePort()}`;
  const away = await check({
    ...settingsFor(place),
    MONGO_URI: `mongodb://${nowhere}`,
    REDIS_URL: `redis://${nowhere}`,
  });
  expect(away.code).toBe(1);
  expect(away.output).toContain(
    'FAIL MongoDB: MongoDB does not answer: check that it runs and that MONGO_URI names it.\n',
  );
  expect(away.output).toContain('FAIL Redis: it does not answer: check that it runs, and REDIS_URL\n');
});

test('config check fails for files, folders and keys that a start or a backup would refuse', async () => {
  const settings = settingsFor(namespace());
  const folder = await temporaryDirectory();
  const list = join(folder, 'queries.json');
  await writeFile(list, '{"abc": "{ viewer { id } }"}');
  const wrong = await check({
    ...settings,
    LOG_FILE: '/nonexistent/x.log',
    PERSISTED_QUERIES_FILE: list,
    AUDIT_RETENTION_DAYS: '3650',
    AUDIT_ARCHIVE_DIRECTORY: join(folder, 'nowhere'),
    BACKUP_TARGET: '/proc/nope',
    BACKUP_RECIPIENTS: 'age1abc',
  });
  expect(wrong.code).toBe(1);
  expect(wrong.output.match(/^FAIL.*/gm)).toEqual([
    'FAIL log file: LOG_FILE /nonexistent/x.log cannot be written (ENOENT): make its folder, and let the user of this ' +
      'process write there.',
    expect.stringMatching(/^FAIL persisted queries: .* names a document "abc", which is not its SHA-256/),
    `FAIL audit archive: AUDIT_ARCHIVE_DIRECTORY ${join(folder, 'nowhere')} cannot be written (ENOENT): make it, ` +
      'and let the user of the workers write there.',
    'FAIL backup target: BACKUP_TARGET /proc/nope cannot be written (ENOENT): make it, and let the user of the workers write there.',
    expect.stringMatching(/^FAIL backup recipients: .* must be public keys of age/),
  ]);
  const absent = await check({ ...settings, PERSISTED_QUERIES_FILE: '/nonexistent', BACKUP_TARGET: folder });
  expect(absent.output.match(/^FAIL.*/gm)).toEqual([
    expect.stringMatching(/^FAIL persisted queries: .* cannot be read \(ENOENT\)/),
    expect.stringMatching(/^FAIL backup recipients: .* is not set/),
  ]);
});

test('config check accepts files and folders that can be written, and leaves nothing there', async () => {
  const folder = await temporaryDirectory();
  const recipient = await identityToRecipient(await generateX25519Identity());
  await writeFile(join(folder, 'queries.json'), '{}');
  const { code, output } = await check({
    ...settingsFor(namespace()),
    LOG_FILE: join(folder, 'riskgraph.log'),
    PERSISTED_QUERIES_FILE: join(folder, 'queries.json'),
    AUDIT_RETENTION_DAYS: '3650',
    AUDIT_ARCHIVE_DIRECTORY: folder,
    BACKUP_TARGET: join(folder, 'backups/daily'),
    BACKUP_RECIPIENTS: recipient,
  });
  expect([output.match(/^(?!ok).+$/gm), code]).toEqual([null, 0]);
  for (const name of ['log file', 'persisted queries', 'audit archive', 'backup target', 'backup recipients'])
    expect(output).toContain(`ok   ${name}: `);
  expect(await readdir(folder)).toEqual(['queries.json']);
});

test('config check warns of names that are nearly a setting, and of every strange name in the .env file', async () => {
  const folder = await temporaryDirectory();
  await writeFile(join(folder, '.env'), 'COLOUR=secret-of-mine\nLOG_LEVEL=warn\n');
  const { code, output } = await runWholeCommand(
    ['config', 'check'],
    { ...settingsFor(namespace()), RATE_LIMT: '4', SECRET_KEYS: 'secret-of-mine', NODE_PATH: '/x' },
    '',
    folder,
  );
  expect(output.match(/^warn.*/gm)).toEqual([
    expect.stringMatching(/^warn COLOUR: there is no such setting, so it changes nothing\. Is it [A-Z_]+\?$/),
    'warn RATE_LIMT: there is no such setting, so it changes nothing. Is it RATE_LIMIT_USER_PER_MINUTE?',
    'warn SECRET_KEYS: there is no such setting, so it changes nothing. Is it SECRET_KEY?',
  ]);
  expect([code, output.includes('secret-of-mine')]).toEqual([0, false]);
});

test('config check fails for a database that a start refuses: a restore that did not end, other keys, older data', async () => {
  const place = namespace();
  const settings = settingsFor(place);
  const database = await connectDatabase(place.mongoUri);
  onTestFinished(() => database.close());
  const models = createModels(database);
  await beginRestore(database, 'riskgraph-2026-01-01T02-00-00Z');
  const restoring = await check(settings);
  expect([restoring.code, restoring.output.match(/^FAIL.*/gm)]).toEqual([
    1,
    [expect.stringMatching(/^FAIL stored data: The restore of riskgraph-\S+ into this database did not end/)],
  ]);
  await endRestore(database);

  await models.dataKeys.collection.insertOne({ masterKey: 'lost-1' } as never);
  const keys = await check(settings);
  expect([keys.code, keys.output.match(/^FAIL.*/gm)]).toEqual([
    1,
    [
      expect.stringMatching(
        /^FAIL encryption keys: .* under the master key "lost-1", which ENCRYPTION_KEYS does not have/,
      ),
    ],
  ]);
  await models.dataKeys.collection.deleteMany({});

  const redis = new Redis(place.redisUrl);
  onTestFinished(() => redis.disconnect());
  await redis.set(`${place.redisPrefix}:revocation-epoch`, 7);
  const older = await check(settings);
  expect([older.code, older.output.match(/^FAIL.*/gm)]).toEqual([
    1,
    [expect.stringMatching(/^FAIL stored data: MongoDB was restored from a backup.*Run "riskgraph restored"/)],
  ]);

  const keyless = await check({ ...settingsFor(namespace()), SECRET_KEY: undefined });
  expect([keyless.code, keyless.output.match(/^FAIL.*/gm)]).toEqual([
    1,
    [expect.stringMatching(/^FAIL encryption keys: SECRET_KEY is not set/)],
  ]);
});

test('config check refuses settings in one line, and connects to nothing', async () => {
  const { code, output, errors } = await check({ PORT: 'door' });
  expect([code, output]).toEqual([1, '']);
  expect(errors).toMatch(/^error: Configuration: PORT: must be a whole number[^\n]*\n$/);
});
