import { afterAll, expect, test } from 'vitest';
import { createApp } from '../../src/app.js';
import { claimData, dataVersion } from '../../src/storage/data-version.js';
import { runCommand } from '../support/run-command.js';
import { settingsFor, startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const { app } = system;
const versions = app.database.collection('data_versions');
const newer = /A newer release of RiskGraph has written to this database \(data version 99, and this release knows/;
afterAll(() => versions.deleteMany({}));

test('a start records the version of the data', async () => {
  expect(await versions.findOne()).toMatchObject({ version: dataVersion });
});

test('processes that start at the same time all start', async () => {
  await versions.deleteMany({});
  await Promise.all(Array.from({ length: 20 }, () => claimData(app.database)));
  expect(await versions.countDocuments()).toBe(1);
});

test('an older release refuses the data of a newer one in one line, and changes nothing', async () => {
  await claimData(app.database, 99);
  await expect(createApp(app.config, app.logger)).rejects.toThrow(newer);
  for (const command of [['api'], ['worker'], ['user', 'list', '--org', 'alpha']]) {
    const outcome = await runCommand(command, settingsFor(app.config));
    expect(outcome).toMatchObject({ code: 1, errors: expect.stringMatching(newer) as string });
    expect(outcome.errors.trim().split('\n')).toHaveLength(1);
  }
  expect(await versions.findOne()).toMatchObject({ version: 99 });
});
