import { expect, test } from 'vitest';
import { createModels } from '../../models/index.js';
import { connectDatabase } from '../../src/storage/database.js';
import { claimData, dataVersion } from '../../src/storage/data-version.js';
import { freePort } from '../support/free-port.js';
import { namespace } from '../support/namespace.js';
import { ownRedis } from '../support/own-redis.js';
import { runCommand } from '../support/run-command.js';
import { settingsFor } from '../support/system.js';

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

test('config check refuses settings in one line, and connects to nothing', async () => {
  const { code, output, errors } = await check({ PORT: 'door' });
  expect([code, output]).toEqual([1, '']);
  expect(errors).toMatch(/^error: Configuration: PORT: must be a whole number[^\n]*\n$/);
});
