import { describe, expect, test } from 'vitest';
import { ScoringJobState, type Models, type ScoringJob } from '../../models/index.js';
import type { Viewer } from '../../src/auth/viewer.js';
import { createBatchProgress } from '../../src/jobs/batch-progress.js';
import { started } from '../../src/jobs/job-status.js';
import { newPatient, modelId } from '../support/heart-disease.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false, environment: { BATCH_CHUNK_SIZE: '2' } });
const { app } = system;

async function viewerOf(slug: string): Promise<Viewer> {
  const identity = await app.accessTokens.verify(await system.token('CLINICIAN', slug));
  return { ...identity, origin: { requestId: 'test', address: '127.0.0.1' } };
}

/** A batch of five patients that is ACTIVE. */
async function activeBatch(viewer: Viewer): Promise<ScoringJob> {
  for (let index = 0; index < 5; index += 1) await app.patients.create(viewer, newPatient() as never);
  const { _id } = await app.submitBatch(viewer, { all: true, modelId });
  return (await app.jobStore.change(_id, ({ status }) => ({ status: started(status, new Date()) })))!;
}

/** The real collections, but the count of chunks waits until `proceed` is called. */
function slowCounting(): { readonly models: Models; readonly reached: Promise<void>; proceed(): void } {
  let arrive = (): void => undefined;
  let proceed = (): void => undefined;
  const reached = new Promise<void>((resolve) => (arrive = resolve));
  const gate = new Promise<void>((resolve) => (proceed = resolve));
  const { scoringChunks } = app.models;
  const aggregate = async (pipeline: never[]): Promise<unknown[]> => {
    const result = await scoringChunks.aggregate(pipeline);
    arrive();
    await gate;
    return result;
  };
  return {
    models: { ...app.models, scoringChunks: { aggregate, exists: scoringChunks.exists.bind(scoringChunks) } as never },
    reached,
    proceed: () => proceed(),
  };
}

describe('a batch that changes while its progress is counted', () => {
  test('is not cancelled again when it was cancelled and retried meanwhile', async () => {
    const viewer = await viewerOf('retried-meanwhile');
    const { _id } = await activeBatch(viewer);
    await app.jobStore.requestCancel(_id);
    const slow = slowCounting();
    const late = createBatchProgress(slow.models, app.jobStore).refresh(_id);
    await slow.reached;
    expect((await app.batchProgress.refresh(_id))!.status.state).toBe(ScoringJobState.CANCELLED);
    await app.jobs.retry(viewer, _id.toHexString());
    slow.proceed();
    expect((await late)!.status.state).toBe(ScoringJobState.QUEUED);
    expect(await app.jobStore.find(_id)).not.toHaveProperty('cancelRequestedAt');
  });

  test('is cancelled although it was being counted when the request came', async () => {
    const viewer = await viewerOf('cancelled-meanwhile');
    const { _id } = await activeBatch(viewer);
    const slow = slowCounting();
    const late = createBatchProgress(slow.models, app.jobStore).refresh(_id);
    await slow.reached;
    await app.models.scoringChunks.updateOne({ job: _id, number: 0 }, { $set: { done: true } });
    await app.jobStore.requestCancel(_id);
    slow.proceed();
    await late;
    expect((await app.batchProgress.refresh(_id))!.status).toMatchObject({
      state: ScoringJobState.CANCELLED,
      processed: 2,
    });
  });

  test('is read again when a cancel request came between the read and the write', async () => {
    const { _id } = await activeBatch(await viewerOf('asked-meanwhile'));
    const seen: boolean[] = [];
    await app.jobStore.change(_id, async ({ status, cancelRequestedAt }) => {
      seen.push(cancelRequestedAt !== undefined);
      if (seen.length === 1) await app.jobStore.requestCancel(_id);
      return { status: { ...status, sequence: status.sequence + 1 } };
    });
    expect(seen).toEqual([false, true]);
  });
});

test('a cancel request never reaches a later run of its job', async () => {
  const viewer = await viewerOf('late-request');
  const { _id } = await activeBatch(viewer);
  await Promise.all([
    app.jobStore.requestCancel(_id),
    app.jobStore.requestCancel(_id),
    app.jobStore.requestCancel(_id),
  ]);
  expect((await app.batchProgress.refresh(_id))!.status.state).toBe(ScoringJobState.CANCELLED);
  await app.jobStore.requestCancel(_id);
  await app.jobs.retry(viewer, _id.toHexString());
  expect(await app.jobStore.find(_id)).not.toHaveProperty('cancelRequestedAt');
});
