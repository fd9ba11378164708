import { expect, it } from 'vitest';
import { CancelScoringJobDocument, CreatePatientDocument, PredictionDocument, ScoringJobUpdatedDocument, SubmitScoringJobDocument } from '../../src/client/generated/graphql.js';
import { expireJobs } from '../../src/jobs/expire-jobs.js';
import { startWorkers } from '../../workers/index.js';
import { modelId, newPatient } from '../support/heart-disease.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });

it('finished jobs go after the retention time; those that predictions refer to stay as a record', async () => {
  const client = await system.client('CLINICIAN');
  const submit = async (): Promise<string> => {
    const { createPatient } = await client.request(CreatePatientDocument, { input: newPatient() });
    return (await client.request(SubmitScoringJobDocument, { input: { patientId: createPatient.id, modelId } })).submitScoringJob.id;
  };
  const [cancelled, completed, open] = [await submit(), await submit(), await submit()];
  await client.request(CancelScoringJobDocument, { id: cancelled });
  await client.request(CancelScoringJobDocument, { id: open });
  const workers = await startWorkers(system.app);
  let predictionId: string | undefined;
  for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id: completed })) predictionId = scoringJobUpdated.job.prediction?.id;
  await workers.close();
  await system.app.models.scoringJobs.updateOne({ _id: open }, { $unset: { 'status.finishedAt': 1 } });

  const { models } = system.app;
  expect(await expireJobs(models, 1)).toBe(0);
  const nextWeek = new Date(Date.now() + 7 * 86_400_000);
  expect(await expireJobs(models, 1, nextWeek)).toBe(2);
  expect(await expireJobs(models, 1, nextWeek)).toBe(0);
  expect(await models.scoringJobs.exists({ _id: cancelled })).toBeNull();
  expect(await models.scoringJobs.exists({ _id: open })).not.toBeNull();
  const { prediction } = await client.request(PredictionDocument, { id: predictionId! });
  expect(prediction!.job.id).toBe(completed);
});
