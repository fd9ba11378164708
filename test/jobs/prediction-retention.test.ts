import { Types } from 'mongoose';
import { expect, test } from 'vitest';
import { PredictionDocument } from '../../src/client/generated/graphql.js';
import type { AuditActor } from '../../src/audit/audit-trail.js';
import { expireJobs } from '../../src/jobs/expire-jobs.js';
import { expirePredictions } from '../../src/jobs/expire-predictions.js';
import { ended, patient, scored, submit } from '../support/scenario.js';
import { modelId } from '../support/heart-disease.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ environment: { RECONCILE_INTERVAL_MS: '200' } });
const { models, audit } = system.app;
const client = await system.client('CLINICIAN');
const dayMs = 86_400_000;
const actorOf = (organizationId: string): AuditActor => ({
  organizationId,
  username: 'worker',
  origin: { requestId: 'retention', address: 'local' },
});
const expire = (days: number): Promise<number> => expirePredictions({ models, audit, actorOf }, days);

/** Dates jobs back by some days. */
async function age(jobIds: readonly string[], days: number): Promise<void> {
  const _id = { $in: jobIds.map((id) => new Types.ObjectId(id)) };
  await models.scoringJobs.updateMany({ _id }, { $set: { 'status.finishedAt': new Date(Date.now() - days * dayMs) } });
}
const latestOf = async (id: string) => (await models.patients.findById(id).lean())!.latestResults?.[modelId];
const highest = async (): Promise<number> =>
  (await models.predictions.collection.find().sort({ 'logged.number': -1 }).limit(1).toArray())[0]!.logged
    .number as number;

test('predictions are removed with their job and the results at the patient, once the job was reduced', async () => {
  const old = await scored(client);
  const young = await scored(client);
  const [inBatch, again] = [await patient(client), await patient(client)];
  const batch = await submit(client, { patientIds: [inBatch.id, again.id] });
  await ended(client, batch.id);
  await expect.poll(() => latestOf(inBatch.id)).toBeDefined();
  // This patient has a newer result than that of the batch.
  const newer = await submit(client, { patientId: again.id });
  await ended(client, newer.id);
  const { source } = (await latestOf(again.id))!;
  await age([old.jobId, batch.id], 40);

  expect(await expire(30)).toBe(0);
  await expireJobs(models, 30);
  const before = await models.auditEvents.countDocuments({ action: 'prediction:expire' });
  expect(await expire(50)).toBe(0);
  expect(await expire(30)).toBe(2);
  expect(await models.auditEvents.countDocuments({ action: 'prediction:expire' })).toBe(before + 1);

  expect((await client.request(PredictionDocument, { id: old.predictionId })).prediction).toBeNull();
  expect((await client.request(PredictionDocument, { id: young.predictionId })).prediction).not.toBeNull();
  expect(await models.scoringJobs.countDocuments({ _id: { $in: [old.jobId, batch.id] } })).toBe(0);
  expect(await models.predictionBlocks.countDocuments({ 'rows.patient': inBatch.id })).toBe(0);
  expect([await latestOf(old.patientId), await latestOf(inBatch.id)]).toEqual([undefined, undefined]);
  expect((await latestOf(again.id))!.source).toEqual(source);
  expect(await expire(30)).toBe(0);
});

test('the newest number of the log is not given again after its prediction was removed', async () => {
  const { jobId } = await scored(client);
  const number = await highest();
  await age([jobId], 40);
  await expireJobs(models, 30);
  expect(await expire(30)).toBe(1);
  expect(await models.predictions.countDocuments({ job: jobId })).toBe(0);
  await scored(client);
  expect(await highest()).toBe(number + 1);
});
