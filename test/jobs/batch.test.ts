import { describe, expect, test } from 'vitest';
import { apiClient } from '../../src/commands/api-client.js';
import type { GraphqlClient } from '../../src/client/graphql-client.js';
import {
  CancelScoringJobDocument,
  JobPredictionsDocument,
  RetryScoringJobDocument,
  ScoringJobUpdatedDocument,
  type JobFieldsFragment,
} from '../../src/client/generated/graphql.js';
import { patient, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ environment: { BATCH_CHUNK_SIZE: '3', WORKER_BATCH_CONCURRENCY: '1' } });

async function createPatients(client: GraphqlClient, count: number, overrides: object = {}): Promise<string[]> {
  const created = await Promise.all(Array.from({ length: count }, () => patient(client, overrides)));
  return created.map(({ id }) => id);
}

/** The job at its end, and every change before that. */
async function follow(
  client: GraphqlClient,
  id: string,
): Promise<{ job: JobFieldsFragment; changes: { sequence: number; collapsed: number; processed: number }[] }> {
  const changes = [];
  let job: JobFieldsFragment | undefined;
  for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id })) {
    job = scoringJobUpdated.job;
    changes.push({
      sequence: scoringJobUpdated.sequence,
      collapsed: scoringJobUpdated.collapsed,
      processed: job.progress.processed,
    });
  }
  return { job: job!, changes };
}

async function results(client: GraphqlClient, id: string) {
  const { scoringJob } = await client.request(JobPredictionsDocument, { id, first: 500 });
  return {
    predicted: scoringJob!.predictions!.edges.map(({ node }) => node.patient!.id).sort(),
    failures: scoringJob!.failures,
  };
}

describe('a batch', () => {
  test('scores each named patient once, however often the request names it', async () => {
    const client = await system.client('CLINICIAN', 'named');
    const ids = await createPatients(client, 20);
    const { id } = await submit(client, { patientIds: [...ids, ...ids] });
    const { job, changes } = await follow(client, id);
    expect(job).toMatchObject({
      kind: 'BATCH',
      state: 'COMPLETED',
      progress: { processed: 20, total: 20, percent: 100, failed: 0 },
    });
    expect((await results(client, id)).predicted).toEqual([...ids].sort());
    changes.slice(1).forEach((change, index) => {
      expect(change.sequence).toBe(changes[index]!.sequence + 1 + change.collapsed);
      expect(change.processed).toBeGreaterThanOrEqual(changes[index]!.processed);
    });
  });

  test('lets one bad patient fail alone, with a reason that has none of its values', async () => {
    const client = await system.client('CLINICIAN', 'one-bad');
    const good = await createPatients(client, 9);
    const [bad] = await createPatients(client, 1, { features: [{ code: 'age', value: 61 }] });
    const { id } = await submit(client, { all: true });
    const { job } = await follow(client, id);
    expect(job).toMatchObject({ state: 'COMPLETED', progress: { processed: 10, total: 10, failed: 1 } });
    const { predicted, failures } = await results(client, id);
    expect(predicted).toEqual([...good].sort());
    expect(failures).toEqual([
      { patientId: bad, code: 'BAD_USER_INPUT', message: expect.stringContaining('chest_pain_type') as string },
    ]);
    expect(failures![0]!.message).not.toContain('61');
  });

  test('takes the patients that match the filter at submission, and adds no later ones', async () => {
    const client = await system.client('CLINICIAN', 'filtered');
    const women = await createPatients(client, 8, { sex: 'FEMALE' });
    await createPatients(client, 3, { sex: 'MALE' });
    const { id, progress } = await submit(client, { filter: { sex: 'FEMALE' } });
    await createPatients(client, 2, { sex: 'FEMALE' });
    expect(progress.total).toBe(8);
    await follow(client, id);
    expect((await results(client, id)).predicted).toEqual([...women].sort());
  });

  test('stays within the organization', async () => {
    const [mine] = await createPatients(await system.client('CLINICIAN', 'mine'), 1);
    const other = await system.client('CLINICIAN', 'other');
    const before = await system.counts();
    await expect(submit(other, { patientIds: [mine!] })).rejects.toMatchObject({
      errors: [
        {
          extensions: {
            code: 'BAD_USER_INPUT',
            fields: [{ path: 'patientIds[0]', message: expect.stringContaining('not found') as string }],
          },
        },
      ],
    });
    await expect(submit(other, { all: true })).rejects.toMatchObject({
      errors: [{ extensions: { code: 'BAD_USER_INPUT' } }],
    });
    expect(await system.counts()).toEqual(before);
  });

  test('needs exactly one way of naming patients', async () => {
    const client = await system.client('CLINICIAN', 'ways');
    const [id] = await createPatients(client, 1);
    const before = await system.counts();
    for (const input of [{}, { all: false }, { all: true, patientIds: [id!] }, { patientIds: [] }]) {
      await expect(submit(client, input)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    }
    expect(await system.counts()).toEqual(before);
  });

  test('is one job per idempotency key, also in a race', async () => {
    const client = await system.client('CLINICIAN', 'idempotent');
    await createPatients(client, 10);
    const jobs = await Promise.all(
      Array.from({ length: 20 }, () => submit(client, { all: true, idempotencyKey: 'nightly' })),
    );
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(1);
    const { job } = await follow(client, jobs[0]!.id);
    expect(job.progress).toMatchObject({ processed: 10, total: 10 });
    expect(await system.app.models.scoringChunks.countDocuments({ done: false })).toBe(0);
    await expect(submit(client, { filter: { sex: 'MALE' }, idempotencyKey: 'nightly' })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
  });
});

describe('a cancelled batch', () => {
  test('stores nothing after its end, and a retry scores the other patients and none twice', async () => {
    const client = await system.client('CLINICIAN', 'cancelled');
    const ids = await createPatients(client, 150);
    const { id } = await submit(client, { all: true });
    // A second connection cancels as soon as the first sees that the work has begun.
    const canceller = apiClient(system.url, await system.token('CLINICIAN', 'cancelled'));
    let cancelling: Promise<unknown> | undefined;
    let last: JobFieldsFragment | undefined;
    for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id })) {
      last = scoringJobUpdated.job;
      if (last.state === 'ACTIVE') cancelling ??= canceller.request(CancelScoringJobDocument, { id });
    }
    await cancelling;
    await canceller.close();
    expect(last!.state).toBe('CANCELLED');
    expect((await results(client, id)).predicted).toHaveLength(last!.progress.processed);

    await client.request(RetryScoringJobDocument, { id });
    const { job } = await follow(client, id);
    expect(job).toMatchObject({ state: 'COMPLETED', progress: { processed: 150, total: 150, failed: 0 } });
    expect((await results(client, id)).predicted).toEqual([...ids].sort());
    expect((await results(client, id)).predicted).toHaveLength(150);
  });
});
