import { describe, expect, it } from 'vitest';
import type { ScoringJob } from '../../models/index.js';
import type { Viewer } from '../../src/auth/viewer.js';
import type { ClaimedJob } from '../../src/jobs/job-store.js';
import type { ScoringRecords } from '../../src/jobs/scoring-records.js';
import { runSingleJob } from '../../src/jobs/single-job-runner.js';
import { modelId, newPatient } from '../support/heart-disease.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const { app } = system;

async function clinician(): Promise<Viewer> {
  return { ...(await app.accessTokens.verify(await system.token('CLINICIAN'))), origin: { requestId: 'test', address: '127.0.0.1' } };
}

/** Runs a job of one patient; `meanwhile` happens when the prediction is about to be stored. */
async function runWith(meanwhile: (claim: ClaimedJob, viewer: Viewer, patientId: string) => Promise<unknown>): Promise<ScoringJob> {
  const viewer = await clinician();
  const patient = await app.patients.create(viewer, newPatient() as never);
  const { _id } = await app.jobs.submit(viewer, { patientId: patient._id.toHexString(), modelId });
  const claim = (await app.store.claim(_id, 1))!;
  const records: ScoringRecords = {
    ...app.records,
    async storePrediction(prediction) {
      await meanwhile(claim, viewer, patient._id.toHexString());
      return app.records.storePrediction(prediction);
    },
  };
  await runSingleJob({ ...app, records, attempts: 3, leaseMs: 60_000 }, claim, new AbortController().signal);
  return (await app.store.find(_id))!;
}

describe('a patient that is deleted while it is scored', () => {
  it('leaves no prediction, and the job says why', async () => {
    const job = await runWith((_claim, viewer, id) => app.patients.delete(viewer, id));
    expect(job.status).toMatchObject({ state: 'FAILED', error: { code: 'NOT_FOUND' } });
    expect(await app.models.predictions.countDocuments({ job: job._id })).toBe(0);
  });

  it('leaves no prediction either when the job is in other hands by then', async () => {
    const job = await runWith(async ({ job: { _id } }, viewer, id) => {
      expect(await app.store.claim(_id, 1)).not.toBeNull();
      await app.patients.delete(viewer, id);
    });
    expect(await app.models.predictions.countDocuments({ job: job._id })).toBe(0);
  });
});

it('a job that somebody asked to stop too late is completed with its prediction', async () => {
  const job = await runWith(({ job: { _id } }) => app.store.requestCancel(_id));
  expect(job.status).toMatchObject({ state: 'COMPLETED' });
  expect(await app.models.predictions.countDocuments({ job: job._id })).toBe(1);
});
