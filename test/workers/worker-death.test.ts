import { describe, expect, test } from 'vitest';
import {
  CancelScoringJobDocument,
  JobPredictionsDocument,
  ScoringJobUpdatedDocument,
} from '../../src/client/generated/graphql.js';
import { seedPatients } from '../../src/commands/seed.js';
import { startServerProcess } from '../../src/commands/server-process.js';
import type { Engine } from '../../src/embedded/engine.js';
import { predictedPatients } from '../support/predicted-patients.js';
import { ended, submit } from '../support/scenario.js';
import { settingsFor, startSystem } from '../support/system.js';

const system = await startSystem({
  worker: false,
  environment: { RECONCILE_INTERVAL_MS: '200', BATCH_CHUNK_SIZE: '50' },
});
const { config, models } = system.app;
const patients = 5_000;
await seedPatients(config, models, { count: patients, seed: 1, organization: 'alpha' });

const startWorkerProcess = (): Promise<Engine> =>
  startServerProcess('worker', { ...settingsFor(config), RECONCILE_INTERVAL_MS: '200' });

async function killHard(worker: Engine): Promise<void> {
  process.kill(worker.pid, 'SIGKILL');
  await worker.exited;
}

describe('a worker that is killed in the middle of its work', () => {
  // Shows: 164.312(c)(1)
  test('leaves a batch that another one finishes, each patient scored once', async () => {
    const client = await system.client('CLINICIAN');
    const batch = await submit(client, { all: true });
    let worker: Engine | undefined = await startWorkerProcess();
    let successor: Promise<Engine> | undefined;
    let progress;
    for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, {
      id: batch.id,
    })) {
      ({ progress } = scoringJobUpdated.job);
      if (worker && progress.processed > 0 && progress.processed < progress.total) {
        await killHard(worker);
        worker = undefined;
        successor = startWorkerProcess();
      }
    }
    await (await successor)?.stop();
    await worker?.stop();
    expect(successor, 'the batch was over before the worker could be killed: seed more patients').toBeDefined();
    expect(progress).toMatchObject({ processed: patients, total: patients, failed: 0 });
    const predicted = await predictedPatients(models, batch.id);
    expect(predicted).toHaveLength(patients);
    expect(new Set(predicted).size).toBe(patients);
  });

  test('leaves single jobs that another one finishes, one prediction each', async () => {
    const client = await system.client('CLINICIAN');
    const some = await models.patients.find({}, { _id: 1 }).limit(200).lean();
    const jobs = await Promise.all(some.map(({ _id }) => submit(client, { patientId: _id.toHexString() })));
    const ids = jobs.map(({ id }) => id);
    const worker = await startWorkerProcess();
    // After the first result the worker is still busy with the others.
    const following = ids.map(async (id) => (await ended(client, id)).state);
    await Promise.race(following);
    await killHard(worker);
    const successor = await startWorkerProcess();
    const ends = await Promise.all(following);
    await successor.stop();
    expect(new Set(ends)).toEqual(new Set(['COMPLETED']));
    for (const id of ids) {
      const { scoringJob } = await client.request(JobPredictionsDocument, { id });
      expect(scoringJob!.predictions!.totalCount).toBe(1);
    }
  });
});

describe('a worker in another process', () => {
  test('gets a cancellation, and stores nothing more after the batch has ended', async () => {
    const client = await system.client('CLINICIAN');
    const { id } = await submit(client, { all: true });
    const worker = await startWorkerProcess();
    let cancelling: Promise<unknown> | undefined;
    let last;
    for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id })) {
      last = scoringJobUpdated.job;
      if (last.progress.processed > 0) cancelling ??= client.request(CancelScoringJobDocument, { id });
    }
    await cancelling;
    const atTheEnd = (await predictedPatients(models, id)).length;
    await worker.stop();
    expect(last).toMatchObject({ state: 'CANCELLED', progress: { processed: atTheEnd } });
    expect(atTheEnd).toBeLessThan(patients);
    expect(await predictedPatients(models, id)).toHaveLength(atTheEnd);
  });
});
