import { Redis } from 'ioredis';
import { afterAll, describe, expect, inject, test } from 'vitest';
import {
  CancelScoringJobDocument,
  RetryScoringJobDocument,
  ScoringJobDocument,
  ScoringJobUpdatedDocument,
} from '../../src/client/generated/graphql.js';
import type { GraphqlClient } from '../../src/client/graphql-client.js';
import { startWorkers } from '../../workers/index.js';
import { proxyTo } from '../support/cuttable-proxy.js';
import { followed, patient, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';
import { namespace } from '../support/namespace.js';

const quick = { RECONCILE_INTERVAL_MS: '200' };

async function submitFor(client: GraphqlClient, key?: string): Promise<string> {
  const created = await patient(client);
  const job = await submit(client, { patientId: created.id, idempotencyKey: key });
  return job.id;
}

async function statesSeen(client: GraphqlClient, id: string, after?: number): Promise<string[]> {
  return (await followed(client, id, after)).map(({ job }) => job.state);
}

describe('while Redis is away', async () => {
  const redis = await proxyTo(inject('redisUrl'));
  // Hooks run in reverse order: the system closes while it can still reach Redis.
  afterAll(() => redis.close());
  const system = await startSystem({ environment: { REDIS_URL: redis.url, ...quick } });

  test('jobs are accepted, and run when it is back', async () => {
    const client = await system.client('CLINICIAN');
    redis.cut();
    const id = await submitFor(client);
    expect((await client.request(ScoringJobDocument, { id })).scoringJob!.state).toBe('QUEUED');
    const states = statesSeen(client, id);
    redis.mend();
    expect((await states).at(-1)).toBe('COMPLETED');
  });
});

describe('a subscriber, while Redis is away', async () => {
  const redis = await proxyTo(inject('redisUrl'));
  afterAll(() => redis.close());
  const system = await startSystem({ worker: false, environment: { REDIS_URL: redis.url } });

  test('misses nothing: it gets the changes from MongoDB without connecting again', async () => {
    const client = await system.client('CLINICIAN');
    const id = await submitFor(client);
    const seen: [number, string][] = [];
    for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id })) {
      seen.push([scoringJobUpdated.sequence, scoringJobUpdated.job.state]);
      if (seen.length > 1) continue;
      redis.cut();
      await client.request(CancelScoringJobDocument, { id });
      redis.mend();
    }
    expect(seen).toEqual([
      [1, 'QUEUED'],
      [2, 'CANCELLED'],
    ]);
  });
});

describe('a wiped Redis', async () => {
  const system = await startSystem({ worker: false, environment: quick });

  test('loses no job: MongoDB has the unfinished ones', async () => {
    const client = await system.client('CLINICIAN');
    const ids = await Promise.all(Array.from({ length: 5 }, () => submitFor(client)));
    const redis = new Redis(inject('redisUrl'));
    const keys = await redis.keys(`${system.app.config.redisPrefix}:*`);
    expect(keys.length).toBeGreaterThan(0);
    await redis.del(...keys);
    await redis.quit();
    const workers = await startWorkers(system.app);
    try {
      for (const id of ids) expect((await statesSeen(client, id)).at(-1)).toBe('COMPLETED');
    } finally {
      await workers.close();
    }
  });
});

describe('while MongoDB is away', async () => {
  const mongo = await proxyTo(namespace().mongoUri);
  afterAll(() => mongo.close());
  const system = await startSystem({ worker: false, environment: { MONGO_URI: mongo.url } });

  test('callers get SERVICE_UNAVAILABLE, and nothing is accepted', async () => {
    const client = await system.client('CLINICIAN');
    const created = await patient(client);
    const before = await system.counts();
    mongo.cut();
    const refused = await Promise.allSettled([submit(client, { patientId: created.id }), patient(client)]);
    const ready = await fetch(`${system.url}/health/ready`);
    mongo.mend();
    expect(refused).toMatchObject([
      { reason: { code: 'SERVICE_UNAVAILABLE' } },
      { reason: { code: 'SERVICE_UNAVAILABLE' } },
    ]);
    expect(ready.status).toBe(503);
    expect(await system.counts()).toEqual(before);
  });
});

describe('jobs that wait', async () => {
  const system = await startSystem({ worker: false });

  test('are cancelled at once, and a retry runs them although the queue still has the old entry', async () => {
    const client = await system.client('CLINICIAN');
    const id = await submitFor(client);
    expect((await client.request(CancelScoringJobDocument, { id })).cancelScoringJob.state).toBe('CANCELLED');
    expect((await client.request(RetryScoringJobDocument, { id })).retryScoringJob).toMatchObject({
      state: 'QUEUED',
      finishedAt: null,
    });
    await expect(client.request(RetryScoringJobDocument, { id })).rejects.toMatchObject({ code: 'CONFLICT' });
    const workers = await startWorkers(system.app);
    try {
      expect((await statesSeen(client, id)).at(-1)).toBe('COMPLETED');
    } finally {
      await workers.close();
    }
    await expect(client.request(CancelScoringJobDocument, { id })).rejects.toMatchObject({ code: 'CONFLICT' });
  });
});
