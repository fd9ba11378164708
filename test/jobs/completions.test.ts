/** Covers src/jobs/completions.ts. */

import mongoose, { Types } from 'mongoose';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Prediction } from '../../models/index.js';
import type { ClaimedJob } from '../../src/jobs/job-store.js';
import { completed, progressed } from '../../src/jobs/job-status.js';
import { createCompletions } from '../../src/jobs/completions.js';
import { createLogWriter } from '../../src/storage/document-log.js';
import { modelId, newPatient } from '../support/heart-disease.js';
import { scoreClaim } from '../support/score-claim.js';
import { clinicianOf } from '../support/clinician.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const { app } = system;
const { models, jobStore, scoringRecords } = app;
const twin = ({ job, patient }: Prediction): object => ({ job, patient });

/** A claimed job, and the prediction that its worker has made. */
interface ScoredJob {
  readonly claim: ClaimedJob;
  readonly prediction: Prediction;
}

async function scoredJob(): Promise<ScoredJob> {
  const viewer = await clinicianOf(system);
  const { _id } = await app.patients.create(viewer, newPatient() as never);
  const submitted = await app.jobs.submit(viewer, { patientId: _id.toHexString(), modelId });
  const claim = (await jobStore.claim(submitted._id, 1))!;
  return { claim, prediction: await scoreClaim(app, claim) };
}

/** What is stored of a job, without what differs from job to job. */
async function storedOf({ claim: { job }, prediction }: ScoredJob) {
  const stored = await models.predictions.collection.findOne({ job: job._id });
  const patient = await models.patients.collection.findOne({ _id: job.patient });
  const { status, transitions, lease } = (await jobStore.find(job._id))!;
  return {
    isPrediction: stored?._id.equals(prediction._id),
    fields: Object.entries(stored ?? {}).map(([name, value]) => [name, value?.constructor?.name]),
    isLatest: patient?.latestResults[modelId].source.equals(prediction._id),
    latest: Object.keys(patient?.latestResults[modelId]),
    states: transitions.map(({ state }) => state),
    status: { ...status, since: undefined, writeId: undefined, startedAt: undefined, finishedAt: undefined },
    lease,
  };
}

const numberOf = async ({ claim: { job } }: ScoredJob): Promise<number> =>
  (await models.predictions.findOne({ job: job._id }).lean<Prediction>().orFail()).logged!.number;

/** Stores as a MongoDB does that has no writes to several collections. */
async function storeInSteps({ claim, prediction }: ScoredJob): Promise<void> {
  await scoringRecords.storePrediction(prediction);
  expect(
    await jobStore.changeClaimed(claim, (status, _job, now) => completed(status, { processed: 1, failed: 0 }, now)),
  ).toBe(true);
}

test('the write stores what the separate writes store, and continues their log', async () => {
  const separate = await scoredJob();
  await storeInSteps(separate);
  const together = await scoredJob();
  expect(await jobStore.complete(together.claim, together.prediction)).toBe(true);
  expect(await storedOf(together)).toEqual(await storedOf(separate));
  expect(await numberOf(together)).toBe((await numberOf(separate)) + 1);
});

test('jobs that end at the same time share the write', async () => {
  const jobs = await Promise.all(Array.from({ length: 12 }, scoredJob));
  const bulk = vi.spyOn(models.predictions.db.getClient(), 'bulkWrite');
  onTestFinished(() => bulk.mockRestore());
  const ended = await Promise.all(jobs.map(({ claim, prediction }) => jobStore.complete(claim, prediction)));
  expect(ended).toEqual(jobs.map(() => true));
  expect(bulk).toHaveBeenCalledTimes(1);
  const numbers = await Promise.all(jobs.map(numberOf));
  expect(new Set(numbers).size).toBe(12);
  expect(Math.max(...numbers) - Math.min(...numbers)).toBe(11);
});

test('a number that another worker has taken is not given again', async () => {
  const before = await scoredJob();
  expect(await jobStore.complete(before.claim, before.prediction)).toBe(true);
  // Another worker, which remembers another end of the log.
  const [foreign, own] = [await scoredJob(), await scoredJob()];
  await createLogWriter(models.predictions, twin).append([foreign.prediction]);
  expect(await jobStore.complete(own.claim, own.prediction)).toBe(true);
  expect(await numberOf(own)).toBe((await numberOf(foreign)) + 1);
});

test('the prediction of an earlier attempt stays', async () => {
  const job = await scoredJob();
  await scoringRecords.storePrediction(job.prediction);
  const again = { ...job.prediction, _id: new Types.ObjectId() };
  expect(await jobStore.complete(job.claim, again)).toBe(false);
  expect(await storedOf(job)).toMatchObject({ isPrediction: true, states: ['QUEUED', 'ACTIVE'] });
});

test('a job that has changed meanwhile stays as it is', async () => {
  const job = await scoredJob();
  await jobStore.requestCancel(job.claim.job._id);
  expect(await jobStore.complete(job.claim, job.prediction)).toBe(false);
  const stored = (await jobStore.find(job.claim.job._id))!;
  expect(stored).toMatchObject({ status: { state: 'ACTIVE' }, cancelRequestedAt: expect.any(Date) });
});

test('a job whose own progress was written ends in one write', async () => {
  const job = await scoredJob();
  await jobStore.changeClaimed(job.claim, (status) => progressed(status, { processed: 0 }));
  expect(await jobStore.complete(job.claim, job.prediction)).toBe(true);
});

test('a later result of the patient is left alone, and the job ends all the same', async () => {
  const job = await scoredJob();
  const later = { source: new Types.ObjectId(), createdAt: new Date(Date.now() + 60_000) };
  await models.patients.collection.updateOne(
    { _id: job.claim.job.patient },
    { $set: { [`latestResults.${modelId}`]: later } },
  );
  expect(await jobStore.complete(job.claim, job.prediction)).toBe(true);
  const patient = await models.patients.collection.findOne({ _id: job.claim.job.patient });
  expect(patient?.latestResults[modelId]).toEqual(later);
});

test('a job whose write was made and not answered has ended', async () => {
  const job = await scoredJob();
  const complete = createCompletions(models, createLogWriter(models.predictions, twin));
  const client = models.predictions.db.getClient();
  const { bulkWrite } = client;
  const bulk = vi.spyOn(client, 'bulkWrite').mockImplementation(async (...write) => {
    await bulkWrite.apply(client, write as never);
    throw new Error('the connection broke');
  });
  onTestFinished(() => bulk.mockRestore());
  const status = completed(job.claim.job.status, { processed: 1, failed: 0 }, new Date());
  expect(await complete({ job: job.claim.job, status, unset: ['lease'], prediction: job.prediction })).toBe(true);
  expect(await storedOf(job)).toMatchObject({ isPrediction: true, states: ['QUEUED', 'ACTIVE', 'COMPLETED'] });
});

test('of two results of a patient in the same millisecond the one that was stored last is the latest', async () => {
  const { prediction } = await scoredJob();
  await scoringRecords.storePrediction(prediction);
  const next = { ...prediction, _id: new Types.ObjectId(), job: new Types.ObjectId() };
  await scoringRecords.storePrediction(next);
  const patient = await models.patients.collection.findOne({ _id: prediction.patient });
  expect(patient?.latestResults[modelId].source).toEqual(next._id);
});

test('a MongoDB without such writes is not asked again and again', async () => {
  const complete = createCompletions(models, createLogWriter(models.predictions, twin));
  const jobs = await Promise.all(Array.from({ length: 3 }, scoredJob));
  const unknown = new mongoose.mongo.MongoClientBulkWriteError({ message: 'an error during execution' });
  unknown.cause = Object.assign(new Error('no such command'), { code: 59 });
  const bulk = vi.spyOn(models.predictions.db.getClient(), 'bulkWrite').mockRejectedValue(unknown);
  onTestFinished(() => bulk.mockRestore());
  for (const { claim, prediction } of jobs)
    expect(await complete({ job: claim.job, status: claim.job.status, prediction })).toBe(false);
  expect(bulk).toHaveBeenCalledTimes(1);
});
