import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { createModels, ensureIndexes } from '../../models/index.js';
import { createApp } from '../../src/app.js';
import { migrateData } from '../../src/predictions/migrate-data.js';
import { connectDatabase } from '../../src/storage/database.js';
import { claimData, dataVersion, requireData } from '../../src/storage/data-version.js';
import { namespace } from '../support/namespace.js';
import { cli, runCommand } from '../support/run-command.js';
import { settingsFor, startSystem } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const system = await startSystem({ worker: false });
const { app } = system;
const versions = app.database.collection<{ _id: string; version: number; raisedAt?: Date }>('data_versions');
const newer = /A newer release of RiskGraph has written to this database \(data version 99, and this release knows/;
afterEach(async () => {
  await versions.deleteMany({});
  await claimData(app.database);
});

test('a start records the version of the data', async () => {
  expect(await versions.find().toArray()).toEqual([{ _id: 'data', version: dataVersion }]);
});

test('processes that start at the same time all start', async () => {
  await versions.deleteMany({});
  await Promise.all(Array.from({ length: 20 }, () => claimData(app.database)));
  expect(await versions.countDocuments()).toBe(1);
});

test('an older release refuses the data of a newer one in one line, and changes nothing', async () => {
  await claimData(app.database, 99);
  const before = await versions.findOne();
  await expect(createApp(app.config, app.logger)).rejects.toThrow(newer);
  const settings = { ...settingsFor(app.config), DATA_DIRECTORY: await temporaryDirectory() };
  for (const command of [['api'], ['worker'], ['up'], ['migrate'], ['user', 'list', '--org', 'alpha']]) {
    const outcome = await runCommand(command, settings);
    expect(outcome).toMatchObject({ code: 1, errors: expect.stringMatching(newer) as string });
    expect(outcome.errors.trim().split('\n')).toHaveLength(1);
  }
  expect(await versions.findOne()).toEqual(before);
});

test('a running process ends when a newer release takes the data', async () => {
  const child = spawn(process.execPath, [cli, 'api'], {
    env: { PATH: process.env.PATH, ...settingsFor(app.config), LOG_LEVEL: 'fatal' } as NodeJS.ProcessEnv,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const says: string[] = [];
  child.stderr.on('data', (text: Buffer) => says.push(text.toString()));
  await once(child.stdout, 'data');
  await claimData(app.database, 99);
  expect(await once(child, 'exit')).toEqual([1, null]);
  expect(says.join('')).toMatch(newer);
});

test('a command does not raise the version of older data, and says how to go on', async () => {
  await versions.updateOne({ _id: 'data' }, { $set: { version: dataVersion - 1 } });
  await expect(requireData(app.database)).rejects.toThrow(
    `An older release of RiskGraph works on this database (data version ${dataVersion - 1}, and this release needs ` +
      `${dataVersion}): use the command of that release, or make a backup and start`,
  );
  expect(await versions.findOne()).toMatchObject({ version: dataVersion - 1 });
});

test('a migration says how to go back, and releases of before refuse the data', async () => {
  await versions.updateOne({ _id: 'data' }, { $set: { version: dataVersion - 1 } });
  const lines: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
  const { database, models } = app;
  await migrateData({ database, models, leaseMs: 10_000, logger }, []);
  expect(JSON.parse(lines.join(''))).toMatchObject({
    from: dataVersion - 1,
    to: dataVersion,
    msg: expect.stringContaining('to go back, restore a backup from before') as string,
  });
  await expect(claimData(database, dataVersion - 1)).rejects.toThrow(/start that release again, or restore a backup/);
});

test('an index that another release made with other options is replaced', async () => {
  const { collection } = app.models.keyRotations;
  await collection.dropIndex('organization_1');
  await collection.createIndex({ organization: 1 }, { unique: true, partialFilterExpression: { open: true } });
  await ensureIndexes(app.models);
  expect((await collection.indexes()).find(({ name }) => name === 'organization_1')).toMatchObject({
    unique: true,
    partialFilterExpression: { unfinished: true },
  });
});

/** A process that migrates a database with some steps. */
async function stepsToMigrate() {
  const { mongoUri } = namespace();
  const database = await connectDatabase(mongoUri);
  onTestFinished(() => database.close());
  createModels(database);
  await database.collection('steps').insertMany(Array.from({ length: 30 }, () => ({})));
  const start = (environment: Readonly<Record<string, string>> = {}): ChildProcess => {
    const child = spawn(process.execPath, [fileURLToPath(new URL('../fixtures/migrating.mjs', import.meta.url))], {
      env: { ...process.env, MONGO_URI: mongoUri, LEASE_MS: '500', ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    return child;
  };
  const handled = () =>
    database.collection<{ step: unknown; process: number }>('handled').find().sort({ step: 1 }).toArray();
  return { start, handled };
}

test('of two processes that start at the same moment one migrates, and the other waits for it', async () => {
  const { start, handled } = await stepsToMigrate();
  const children = [start({ LEASE_MS: '60000' }), start({ LEASE_MS: '60000' })];
  expect(await Promise.all(children.map((child) => once(child, 'exit')))).toEqual([
    [0, null],
    [0, null],
  ]);
  expect(await handled()).toHaveLength(30);
  expect(new Set((await handled()).map((row) => row.process)).size).toBe(1);
});

test('a migration whose process was killed is taken over at the place where it was', async () => {
  const { start, handled } = await stepsToMigrate();
  const killed = start({ HANG_BEHIND: '10' });
  await once(killed.stdout!, 'data');
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  expect(await handled()).toHaveLength(10);
  expect(await once(start(), 'exit')).toEqual([0, null]);
  const rows = await handled();
  expect(rows).toHaveLength(30);
  expect(rows.filter((row) => row.process === killed.pid)).toHaveLength(10);
  expect(new Set(rows.map(({ step }) => String(step))).size).toBe(30);
});
