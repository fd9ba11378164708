import type { Prediction } from '../../models/index.js';
import type { App } from '../../src/app.js';
import type { ClaimedJob } from '../../src/jobs/job-store.js';
import { modelOfJob } from '../../src/predictions/served-models.js';
import { createRowScorers, scorePatient } from '../../src/scoring/score-patient.js';

/** Makes the prediction of a claimed job, as its worker would, and stores nothing. */
export async function scoreClaim(app: App, { job }: ClaimedJob): Promise<Prediction> {
  const model = await modelOfJob(app.registry, job);
  const patient = (await app.scoringRecords.patient(job.organization, job.patient!))!;
  const scoring = { model, scorer: createRowScorers(app.metrics)(model), job, metrics: app.metrics };
  return scorePatient(scoring, patient, { signal: new AbortController().signal, onStage: () => undefined });
}
