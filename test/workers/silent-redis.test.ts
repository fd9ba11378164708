import { afterAll, expect, inject, test } from 'vitest';
import {
  CreatePatientDocument,
  ScoringJobUpdatedDocument,
  SubmitScoringJobDocument,
} from '../../src/client/generated/graphql.js';
import { proxyTo } from '../support/cuttable-proxy.js';
import { modelId, newPatient } from '../support/heart-disease.js';
import { startSystem } from '../support/system.js';

const redis = await proxyTo(inject('redisUrl'));
afterAll(() => redis.close());
const system = await startSystem({ environment: { REDIS_URL: redis.url, RECONCILE_INTERVAL_MS: '200' } });
const client = await system.client('CLINICIAN');

async function statesOfNewJob(): Promise<string[]> {
  const { createPatient } = await client.request(CreatePatientDocument, { input: newPatient() });
  const { submitScoringJob } = await client.request(SubmitScoringJobDocument, {
    input: { patientId: createPatient.id, modelId },
  });
  const states = [];
  for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id: submitScoringJob.id }))
    states.push(scoringJobUpdated.job.state);
  return states;
}

// As after the power failure of a Redis host, or behind a firewall that forgets idle connections.
test(
  'when every connection to Redis breaks without a word, API and worker make new ones, and jobs run',
  { timeout: 120_000 },
  async () => {
    expect((await statesOfNewJob()).at(-1)).toBe('COMPLETED');
    redis.silence();
    expect((await statesOfNewJob()).at(-1)).toBe('COMPLETED');
    // Events reach subscribers again too, and not only by way of the comparison with MongoDB.
    const heard = new Promise<string>((resolve) =>
      system.app.events.subscribe('scoringJobChanged', ({ scoringJobId }) => resolve(scoringJobId)),
    );
    await statesOfNewJob();
    expect(await heard).toMatch(/^[0-9a-f]{24}$/);
  },
);
