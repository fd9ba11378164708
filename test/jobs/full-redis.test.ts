import { Redis } from 'ioredis';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  CreatePatientDocument,
  ScoringJobDocument,
  ScoringJobUpdatedDocument,
  SubmitBatchScoringJobDocument,
  SubmitScoringJobDocument,
} from '../../src/client/generated/graphql.js';
import { startRedis } from '../../src/embedded/embedded-redis.js';
import { modelId, newPatient } from '../support/heart-disease.js';
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

test('a Redis that is full keeps nobody from submitting; when there is room again, the jobs run', async () => {
  const { createPatient } = await client.request(CreatePatientDocument, { input: newPatient() });
  await operator.config('SET', 'maxmemory', '1');
  await expect(operator.set('anything', '1')).rejects.toThrow('OOM');
  const single = (await client.request(SubmitScoringJobDocument, { input: { patientId: createPatient.id, modelId } }))
    .submitScoringJob;
  const batch = (await client.request(SubmitBatchScoringJobDocument, { input: { all: true, modelId } }))
    .submitBatchScoringJob;
  for (const { id } of [single, batch])
    expect((await client.request(ScoringJobDocument, { id })).scoringJob).toMatchObject({ id, state: 'QUEUED' });
  await operator.config('SET', 'maxmemory', '0');
  for (const { id } of [single, batch]) {
    let last;
    for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id }))
      last = scoringJobUpdated.job;
    expect(last).toMatchObject({ state: 'COMPLETED', progress: { processed: 1, total: 1 } });
  }
});
