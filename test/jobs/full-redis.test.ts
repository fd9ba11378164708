import { Redis } from 'ioredis';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ScoringJobDocument } from '../../src/client/generated/graphql.js';
import { startRedis } from '../../src/embedded/embedded-redis.js';
import { ended, patient, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const directory = await mkdtemp(join(tmpdir(), 'riskgraph-test-'));
const engine = await startRedis(directory);
const operator = new Redis(engine.url);
afterAll(async () => {
  operator.disconnect();
  await engine.stop();
  await rm(directory, { recursive: true, force: true });
});
const system = await startSystem({ environment: { REDIS_URL: engine.url, RECONCILE_INTERVAL_MS: '200' } });
const client = await system.client('CLINICIAN');

test('callers submit jobs while Redis is full, and the jobs run when there is room again', async () => {
  const created = await patient(client);
  await operator.config('SET', 'maxmemory', '1');
  await expect(operator.set('anything', '1')).rejects.toThrow('OOM');
  const single = await submit(client, { patientId: created.id });
  const batch = await submit(client, { all: true });
  for (const { id } of [single, batch])
    expect((await client.request(ScoringJobDocument, { id })).scoringJob).toMatchObject({ id, state: 'QUEUED' });
  await operator.config('SET', 'maxmemory', '0');
  for (const { id } of [single, batch]) {
    expect(await ended(client, id)).toMatchObject({ state: 'COMPLETED', progress: { processed: 1, total: 1 } });
  }
});
