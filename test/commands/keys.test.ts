import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { DataKeyState } from '../../models/index.js';
import { seedPatients } from '../../src/commands/seed.js';
import { spawnEntry } from '../../src/embedded/spawn-entry.js';
import { randomMasterKeys } from '../support/protection.js';
import { startSystem, testSecretKey } from '../support/system.js';

const [first, second] = randomMasterKeys('first', 'second') as [string, string];
const system = await startSystem({
  environment: { ENCRYPTION_KEYS: `${second},${first}`, RECONCILE_INTERVAL_MS: '100' },
});
const { config, models } = system.app;
await seedPatients(config, models, { count: 30, seed: 1, organization: 'alpha' });
await seedPatients(config, models, { count: 20, seed: 1, organization: 'beta' });

/** Runs `riskgraph keys` as an operator does. */
async function keys(
  args: readonly string[],
  ...settings: string[]
): Promise<{ code: number; output: string; errors: string }> {
  const environment = {
    NODE_ENV: 'test',
    MONGO_URI: config.mongoUri,
    SECRET_KEY: testSecretKey,
    ENCRYPTION_KEYS: settings.join(','),
  };
  const child = spawnEntry(new URL('../../src/cli.js', import.meta.url), {
    args: ['keys', ...args],
    environment,
    stdio: { stdout: 'pipe', stderr: 'pipe' },
  });
  let [output, errors] = ['', ''];
  child.stdout!.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr!.on('data', (data: Buffer) => (errors += data.toString()));
  let failed = '';
  child.on('message', (report: { failed?: string }) => (failed = report.failed ?? ''));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output, errors: errors.replace(/^database: .*\n/gm, '') + failed };
}

/** Rows of the status table, without the cells that differ in each run. */
async function status(): Promise<string[][]> {
  const { output } = await keys(['status'], second, first);
  const rows = output
    .split('\n')
    .filter((line) => /ACTIVE|RETIRED/.test(line))
    .map((line) =>
      line
        .split('│')
        .map((cell) => cell.trim())
        .slice(1, -1),
    );
  return rows.map(([organization, , purpose, state, masterKey, , documents]) => [
    organization!,
    purpose!,
    state!,
    masterKey!,
    documents!,
  ]);
}

test('status prints the keys of each organization, and rotate waits until all is encrypted again', async () => {
  expect(await status()).toEqual([
    ['alpha', 'FIELDS', 'ACTIVE', 'second', '30'],
    ['alpha', 'INDEX', 'ACTIVE', 'second', ''],
    ['beta', 'FIELDS', 'ACTIVE', 'second', '20'],
    ['beta', 'INDEX', 'ACTIVE', 'second', ''],
  ]);
  const { code, output, errors } = await keys(['rotate', '--org', 'beta'], second, first);
  expect({ code, output }).toEqual({
    code: 0,
    output: '20 documents encrypted again, all data keys wrapped under "second"\n',
  });
  expect(errors).toMatch(/documents \[.*20\/20 \| 1 of 1 organizations/);
  expect(await status()).toEqual([
    ['alpha', 'FIELDS', 'ACTIVE', 'second', '30'],
    ['alpha', 'INDEX', 'ACTIVE', 'second', ''],
    ['beta', 'FIELDS', 'ACTIVE', 'second', '20'],
    ['beta', 'FIELDS', 'RETIRED', 'second', '0'],
    ['beta', 'INDEX', 'ACTIVE', 'second', ''],
  ]);
  expect((await keys(['rotate'], second, first)).output).toBe(
    '50 documents encrypted again, all data keys wrapped under "second"\n',
  );
  expect(await models.dataKeys.countDocuments({ state: DataKeyState.RETIRED })).toBe(3);
  const recorded = await models.auditEvents.find({ action: 'encryption-key:rotate' }).sort({ _id: 1 }).lean();
  expect(recorded).toMatchObject(
    Array(3).fill({
      username: 'command-line',
      address: 'local',
      outcome: 'ALLOWED',
      subject: { kind: 'ENCRYPTION_KEY' },
    }),
  );
  const retired = await models.dataKeys.find({ state: DataKeyState.RETIRED }).lean();
  expect(new Set(recorded.map(({ subject }) => subject!.id))).toEqual(
    new Set(retired.map(({ _id }) => _id.toHexString())),
  );
});

// Shows: 164.312(b)
test('rotate requests no rotation that it cannot record', async () => {
  const before = await models.keyRotations.countDocuments();
  // A geographic index accepts no event from here on: an address is not a place on earth.
  const index = await models.auditEvents.collection.createIndex(
    { address: '2dsphere' },
    { partialFilterExpression: { occurredAt: { $gt: new Date() } } },
  );
  onTestFinished(async () => void (await models.auditEvents.collection.dropIndex(index)));
  expect(await keys(['rotate'], second, first)).toMatchObject({
    code: 1,
    output: '',
    errors: expect.stringContaining('The audit trail cannot be written') as string,
  });
  expect(await models.keyRotations.countDocuments()).toBe(before);
});

test('an unknown organization and a missing master key end in one line and exit code 1', async () => {
  expect(await keys(['rotate', '--org', 'nobody'], second)).toMatchObject({
    code: 1,
    output: '',
    errors: expect.stringMatching(/^There is no organization "nobody"/) as string,
  });
  expect(await keys(['status'], first)).toMatchObject({
    code: 1,
    output: '',
    errors: expect.stringMatching(/^Data are encrypted under the master key "second"/) as string,
  });
});
