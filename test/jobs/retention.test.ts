import { Types } from 'mongoose';
import { describe, expect, test } from 'vitest';
import { ScoringJobState, type Models, type ScoringJob } from '../../models/index.js';
import {
  CancelScoringJobDocument,
  PredictionDocument,
  RetryScoringJobDocument,
} from '../../src/client/generated/graphql.js';
import { expireJobs, pruneChunks } from '../../src/jobs/expire-jobs.js';
import { cancelled, started } from '../../src/jobs/job-status.js';
import { startWorkers } from '../../workers/index.js';
import { ended, patient, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const nextWeek = new Date(Date.now() + 7 * 86_400_000);

test('finished jobs are deleted after the retention time, except those that predictions refer to', async () => {
  const client = await system.client('CLINICIAN');
  const submitOne = async (): Promise<string> => {
    const created = await patient(client);
    return (await submit(client, { patientId: created.id })).id;
  };
  const [cancelled, completed, unfinished] = [await submitOne(), await submitOne(), await submitOne()];
  await client.request(CancelScoringJobDocument, { id: cancelled });
  await client.request(CancelScoringJobDocument, { id: unfinished });
  const workers = await startWorkers(system.app);
  const predictionId = (await ended(client, completed)).prediction?.id;
  await workers.close();
  await system.app.models.scoringJobs.updateOne({ _id: unfinished }, { $unset: { 'status.finishedAt': 1 } });

  const { models } = system.app;
  expect(await expireJobs(models, 1)).toBe(0);
  expect(await expireJobs(models, 1, nextWeek)).toBe(2);
  expect(await expireJobs(models, 1, nextWeek)).toBe(0);
  expect(await models.scoringJobs.exists({ _id: cancelled })).toBeNull();
  expect(await models.scoringJobs.exists({ _id: unfinished })).not.toBeNull();
  const { prediction } = await client.request(PredictionDocument, { id: predictionId! });
  expect(prediction!.job!.id).toBe(completed);
});

describe('a batch that ended long ago', () => {
  async function cancelledBatch(slug: string): Promise<ScoringJob> {
    const client = await system.client('CLINICIAN', slug);
    await patient(client);
    const batch = await submit(client, { all: true });
    const _id = new Types.ObjectId(batch.id);
    await system.app.jobStore.change(_id, ({ status }) => ({ status: started(status, new Date()) }));
    return (await system.app.jobStore.change(_id, ({ status }) => ({ status: cancelled(status, new Date()) })))!;
  }
  const retry = async (job: ScoringJob, slug: string) =>
    (await system.client('CLINICIAN', slug)).request(RetryScoringJobDocument, { id: job._id.toHexString() });

  test('stays whole when it is retried at the moment it expires', async () => {
    const { models } = system.app;
    const job = await cancelledBatch('expiring');
    const distinct = async (field: string, filter: never): Promise<unknown[]> => {
      await retry(job, 'expiring');
      return models.predictions.distinct(field, filter);
    };
    await expireJobs({ ...models, predictions: { distinct } as never } satisfies Models, 1, nextWeek);
    expect((await system.app.jobStore.find(job._id))!.status.state).toBe(ScoringJobState.QUEUED);
    expect(await models.scoringChunks.countDocuments({ job: job._id })).toBe(1);
  });

  test('cannot be retried once its chunks were deleted', async () => {
    const { models } = system.app;
    const job = await cancelledBatch('cut-down');
    await models.predictions.collection.insertOne({
      _id: new Types.ObjectId(),
      organization: job.organization,
      job: job._id,
      patient: new Types.ObjectId(),
    } as never);
    await expireJobs(models, 1, nextWeek);
    expect(await models.scoringChunks.countDocuments({ job: job._id })).toBe(0);
    await expect(retry(job, 'cut-down')).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('submit a new job') as string,
    });
  });

  test('leaves no chunk behind, however it ended', async () => {
    const { models } = system.app;
    const job = await cancelledBatch('orphaned');
    const kept = await cancelledBatch('kept');
    await models.scoringJobs.deleteOne({ _id: job._id });
    expect(await pruneChunks(models)).toBe(0);
    expect(await pruneChunks(models, nextWeek)).toBe(1);
    expect(await models.scoringChunks.countDocuments({ job: { $in: [job._id, kept._id] } })).toBe(1);
  });
});
