import { describe, expect, test } from 'vitest';
import type { ScoringJob } from '../../models/index.js';
import type { Viewer } from '../../src/auth/viewer.js';
import { createChunkRunner } from '../../src/scoring/chunk-runner.js';
import { createRowScorers } from '../../src/scoring/score-patient.js';
import type { ClaimedJob, JobStore } from '../../src/jobs/job-store.js';
import type { ScoringTask } from '../../src/scoring/scoring-engine.js';
import type { ScoringRecords } from '../../src/jobs/scoring-records.js';
import { runSingleJob } from '../../src/scoring/single-job-runner.js';
import { scoreColumns } from '../../src/risk/score-columns.js';
import { modelId, newPatient } from '../support/heart-disease.js';
import { clinicianOf } from '../support/clinician.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const { models, registry, jobStore, batchProgress, events, logger } = system.app;
const { app } = system;

/** Claims a job about a new patient. */
async function claimedJob() {
  const viewer = await clinicianOf(system);
  const patientId = (await app.patients.create(viewer, newPatient() as never))._id.toHexString();
  const { _id } = await app.jobs.submit(viewer, { patientId, modelId });
  return { viewer, patientId, claim: (await app.jobStore.claim(_id, 1))! };
}

/** The writes at the end of a job of one patient: one after the other with MongoDB 7. */
const writes = ['in one write', 'one after the other'] as const;

/** Runs a job of one patient. `meanwhile` runs just before the prediction is stored. */
async function runWith(
  write: (typeof writes)[number],
  meanwhile: (claim: ClaimedJob, viewer: Viewer, patientId: string) => Promise<unknown>,
): Promise<ScoringJob> {
  const { viewer, patientId, claim } = await claimedJob();
  const jobStore: JobStore = {
    ...app.jobStore,
    async complete(...completion) {
      await meanwhile(claim, viewer, patientId);
      return write === 'in one write' && app.jobStore.complete(...completion);
    },
  };
  await run(jobStore, claim);
  return (await app.jobStore.find(claim.job._id))!;
}

function run(jobStore: JobStore, claim: ClaimedJob): Promise<void> {
  return runSingleJob(
    {
      scoringRecords: app.scoringRecords,
      registry,
      scorerOf: createRowScorers(app.metrics),
      jobStore,
      events,
      attempts: 3,
      leaseMs: 60_000,
      metrics: app.metrics,
      tracing: app.tracing,
      logger,
    },
    claim,
    new AbortController().signal,
  );
}

describe.each(writes)('a patient that is deleted while it is scored, with results stored %s,', (write) => {
  test('leaves no prediction, and the job fails with NOT_FOUND', async () => {
    const job = await runWith(write, (_claim, viewer, id) => app.patients.delete(viewer, id));
    expect(job.status).toMatchObject({ state: 'FAILED', error: { code: 'NOT_FOUND' } });
    expect(await app.models.predictions.countDocuments({ job: job._id })).toBe(0);
  });

  test('leaves no prediction either when another worker has claimed the job meanwhile', async () => {
    const job = await runWith(write, async ({ job: { _id } }, viewer, id) => {
      expect(await app.jobStore.claim(_id, 1)).not.toBeNull();
      await app.patients.delete(viewer, id);
    });
    expect(await app.models.predictions.countDocuments({ job: job._id })).toBe(0);
  });
});

test('a patient that is deleted after a part of the end was written leaves no prediction, and other jobs go on', async () => {
  const { viewer, patientId, claim } = await claimedJob();
  const { _id } = claim.job;
  const jobStore: JobStore = {
    ...app.jobStore,
    async complete(...completion) {
      await app.jobStore.requestCancel(_id);
      const isComplete = await app.jobStore.complete(...completion);
      await app.patients.delete(viewer, patientId);
      return isComplete;
    },
  };
  await run(jobStore, claim);
  expect((await app.jobStore.find(_id))!.status).toMatchObject({ state: 'FAILED', error: { code: 'NOT_FOUND' } });
  expect(await models.predictions.countDocuments({ job: _id })).toBe(0);
  const other = await runWith('one after the other', async () => undefined);
  expect(other.status.state).toBe('COMPLETED');
});

describe('a patient of a batch that is deleted while its chunk is scored', () => {
  /** Runs the one chunk of a batch of three. `meanwhile` runs after the read of the patients. */
  async function runChunk(
    slug: string,
    meanwhile: (viewer: Viewer, patientId: string) => Promise<unknown>,
  ): Promise<{ readonly patients: number; readonly size: number; readonly erased: boolean }> {
    const viewer = await clinicianOf(system, slug);
    const [erased] = await Promise.all(
      Array.from({ length: 3 }, () => app.patients.create(viewer, newPatient() as never)),
    );
    const { _id } = await app.submitBatch(viewer, { all: true, modelId });
    const scoringRecords: ScoringRecords = {
      ...app.scoringRecords,
      async patientRows(...request) {
        const read = await app.scoringRecords.patientRows(...request);
        await meanwhile(viewer, erased!._id.toHexString());
        return read;
      },
    };
    const engine = {
      score: ({ model, used, rowCount, explain }: ScoringTask, signal: AbortSignal) =>
        scoreColumns(model, used, rowCount, explain, signal),
      close: async () => undefined,
    };
    const runner = createChunkRunner({
      models,
      scoringRecords,
      registry,
      engine,
      jobStore,
      batchProgress,
      latestResults: app.latestResults,
      events,
      attempts: 3,
      leaseMs: 60_000,
      metrics: app.metrics,
      tracing: app.tracing,
      logger,
    });
    await runner.run(_id, 0, new AbortController().signal);
    await runner.close();
    const block = (await app.models.predictionBlocks.findOne({ job: _id }).lean())!;
    return {
      patients: block.rows.length,
      size: block.size,
      erased: !block.rows.some(({ patient }) => patient.equals(erased!._id)),
    };
  }

  test('leaves no prediction', async () => {
    expect(await runChunk('erased-meanwhile', (viewer, id) => app.patients.delete(viewer, id))).toEqual({
      patients: 2,
      size: 2,
      erased: true,
    });
  });

  test('is the only one without a prediction: without an erasure all three have one', async () => {
    expect(await runChunk('none-erased', () => Promise.resolve())).toEqual({ patients: 3, size: 3, erased: false });
  });
});

test('a worker that comes back after its job was cancelled stores no prediction', async () => {
  const viewer = await clinicianOf(system);
  const patient = await app.patients.create(viewer, newPatient() as never);
  const { _id } = await app.jobs.submit(viewer, { patientId: patient._id.toHexString(), modelId });
  const claim = (await app.jobStore.claim(_id, 1))!;
  const lease = { ...claim.lease, expiresAt: new Date(0) };
  const late: ClaimedJob = { job: { ...claim.job, lease }, lease };
  await app.jobStore.requestCancel(_id);
  // Another worker takes the job over, and ends it.
  expect(await app.jobStore.claim(_id, 1)).toBeNull();
  await run(app.jobStore, late);
  expect((await app.jobStore.find(_id))!.status.state).toBe('CANCELLED');
  expect(await app.models.predictions.countDocuments({ job: _id })).toBe(0);
});

test.each(writes)('a job that is cancelled too late is completed with its prediction, stored %s', async (write) => {
  const job = await runWith(write, ({ job: { _id } }) => app.jobStore.requestCancel(_id));
  expect(job.status).toMatchObject({ state: 'COMPLETED' });
  expect(await app.models.predictions.countDocuments({ job: job._id })).toBe(1);
});
