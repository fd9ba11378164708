import { afterAll, expect, inject, test } from 'vitest';
import { proxyTo } from '../support/cuttable-proxy.js';
import { followed, patient, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const redis = await proxyTo(inject('redisUrl'));
afterAll(() => redis.close());
const system = await startSystem({ environment: { REDIS_URL: redis.url, RECONCILE_INTERVAL_MS: '200' } });
const client = await system.client('CLINICIAN');

async function statesOfNewJob(): Promise<string[]> {
  const created = await patient(client);
  const job = await submit(client, { patientId: created.id });
  return (await followed(client, job.id)).map(({ job: { state } }) => state);
}

// This happens after the power failure of a Redis host, or behind a firewall that drops idle connections.
test(
  'when every connection to Redis breaks silently, API and worker make new ones, and jobs run',
  { timeout: 120_000 },
  async () => {
    expect((await statesOfNewJob()).at(-1)).toBe('COMPLETED');
    redis.silence();
    expect((await statesOfNewJob()).at(-1)).toBe('COMPLETED');
    // Subscribers get events again too, and not only the changes that they compare with MongoDB.
    const heard: string[] = [];
    system.app.events.subscribe('scoringJobChanged', ({ scoringJobId }) => heard.push(scoringJobId));
    // The jobs above may have ended before the connection for events was made again.
    while (heard.length === 0) await statesOfNewJob();
    expect(heard[0]).toMatch(/^[0-9a-f]{24}$/);
  },
);
