import { Redis } from 'ioredis';
import { Types } from 'mongoose';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { CancelScoringJobDocument, ScoringJobUpdatedDocument } from '../../src/client/generated/graphql.js';
import type { Prediction } from '../../models/index.js';
import { seedPatients } from '../../src/commands/seed.js';
import { startServerProcess } from '../../src/commands/server-process.js';
import type { Engine } from '../../src/embedded/engine.js';
import { queueNames } from '../../src/jobs/scoring-queue.js';
import { predictedPatients } from '../support/predicted-patients.js';
import { ended, submit } from '../support/scenario.js';
import { settingsFor, startSystem } from '../support/system.js';

const leaseMs = 4_000;
const system = await startSystem({
  worker: false,
  environment: { RECONCILE_INTERVAL_MS: '200', BATCH_CHUNK_SIZE: '50' },
});
const { config, models } = system.app;
const patients = 2_000;
await seedPatients(config, models, { count: patients, seed: 1, organization: 'alpha' });

const startWorkerProcess = (): Promise<Engine> =>
  startServerProcess('worker', {
    ...settingsFor(config),
    RECONCILE_INTERVAL_MS: '200',
    JOB_LEASE_MS: String(leaseMs),
    // The worker must still hold single jobs when the batch makes progress.
    WORKER_CONCURRENCY: '2',
  });

/** Milliseconds for which the entries of single jobs stay locked, by the worker that runs them. */
async function locksOfSingleJobs(): Promise<number[]> {
  const redis = new Redis(config.redisUrl!);
  onTestFinished(() => redis.disconnect());
  const keys = await redis.keys(`${config.redisPrefix}:${queueNames.single}:*:lock`);
  return Promise.all(keys.map((key) => redis.pttl(key)));
}

/** The worker that takes the work over. The test after that uses it too: to start a worker takes seconds. */
let successor: Promise<Engine> | undefined;
afterAll(async () => (await successor)?.stop());

// Shows: 164.312(c)(1)
test('a worker that is killed leaves a batch and single jobs that another one finishes, each scored once', async () => {
  const client = await system.client('CLINICIAN');
  const some = await models.patients.find({}, { _id: 1 }).limit(50).lean();
  const jobs = await Promise.all(some.map(({ _id }) => submit(client, { patientId: _id.toHexString() })));
  const following = jobs.map(async ({ id }) => (await ended(client, id)).state);
  const batch = await submit(client, { all: true });
  const worker = await startWorkerProcess();
  let locks: number[] = [];
  let progress;
  for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id: batch.id })) {
    ({ progress } = scoringJobUpdated.job);
    if (!successor && progress.processed > 0 && progress.processed < progress.total) {
      process.kill(worker.pid, 'SIGKILL');
      await worker.exited;
      locks = await locksOfSingleJobs();
      successor = startWorkerProcess();
    }
  }
  expect(successor, 'the batch was over before the worker could be killed: seed more patients').toBeDefined();
  expect(locks.filter((milliseconds) => milliseconds > leaseMs / 2)).toEqual([]);
  expect(progress).toMatchObject({ processed: patients, total: patients, failed: 0 });
  const predicted = await predictedPatients(models, batch.id);
  expect(predicted).toHaveLength(patients);
  expect(new Set(predicted).size).toBe(patients);
  expect(new Set(await Promise.all(following))).toEqual(new Set(['COMPLETED']));
  const single = { job: { $in: jobs.map(({ id }) => new Types.ObjectId(id)) } };
  const stored = await models.predictions.find(single, { job: 1 }).lean<Pick<Prediction, 'job'>[]>();
  expect(stored.map(({ job }) => job.toHexString()).toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
});

test('a worker in another process gets a cancellation, and stores nothing more after the batch has ended', async () => {
  const client = await system.client('CLINICIAN');
  const { id } = await submit(client, { all: true });
  const worker = await (successor ??= startWorkerProcess());
  let cancelling: Promise<unknown> | undefined;
  let last;
  for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id })) {
    last = scoringJobUpdated.job;
    if (last.progress.processed > 0) cancelling ??= client.request(CancelScoringJobDocument, { id });
  }
  await cancelling;
  const atTheEnd = (await predictedPatients(models, id)).length;
  // A worker that stops lets its running work end first.
  await worker.stop();
  expect(last).toMatchObject({ state: 'CANCELLED', progress: { processed: atTheEnd } });
  expect(atTheEnd).toBeLessThan(patients);
  expect(await predictedPatients(models, id)).toHaveLength(atTheEnd);
});
