import { Types } from 'mongoose';
import { afterAll, describe, expect, it } from 'vitest';
import { startApi } from '../../src/api.js';
import { createApp } from '../../src/app.js';
import { createGraphqlClient } from '../../src/client/graphql-client.js';
import {
  CancelScoringJobDocument,
  CreatePatientDocument,
  ScoringJobUpdatedDocument,
  SubmitScoringJobDocument,
} from '../../src/client/generated/graphql.js';
import { progressed, started } from '../../src/jobs/job-status.js';
import { createJobStreams } from '../../src/jobs/job-stream.js';
import { createPredictionStreams } from '../../src/predictions/prediction-stream.js';
import { modelId, newPatient } from '../support/heart-disease.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const { app } = system;

async function submitJob(): Promise<Types.ObjectId> {
  const client = await system.client('CLINICIAN');
  const { createPatient } = await client.request(CreatePatientDocument, { input: newPatient() });
  const { submitScoringJob } = await client.request(SubmitScoringJobDocument, {
    input: { patientId: createPatient.id, modelId },
  });
  return new Types.ObjectId(submitScoringJob.id);
}

describe('subscriptions', () => {
  it('leave nothing behind after 10,000 of them', async () => {
    const streams = createJobStreams(app);
    const predictionStreams = createPredictionStreams(app);
    const jobId = await submitJob();
    const organizationId = await system.organizationId();
    for (let round = 0; round < 100; round += 1) {
      await Promise.all(
        Array.from({ length: 100 }, async (_, index) => {
          const stream = await streams.follow(jobId, 0, () => app.jobStore.find(jobId));
          if (index % 2 === 0) await stream.next();
          // Half of them are left while they wait for the next change.
          const waiting = index % 4 === 0 ? stream.next() : undefined;
          await stream.return!();
          if (waiting) expect((await waiting).done).toBe(true);
          const predictions = predictionStreams.follow(organizationId, null);
          const nextPrediction = predictions.next();
          await predictions.return!();
          expect((await nextPrediction).done).toBe(true);
        }),
      );
    }
    expect(streams.size).toBe(0);
    expect(predictionStreams.size).toBe(0);
    streams.close();
    predictionStreams.close();
  });

  it('fold progress for a slow reader, and never a change of state', async () => {
    const streams = createJobStreams(app);
    const jobId = await submitJob();
    const stream = await streams.follow(jobId, 0, () => app.jobStore.find(jobId));
    expect((await stream.next()).value).toMatchObject({ sequence: 1, collapsed: 0 });
    await app.jobStore.change(jobId, ({ status }) => ({ status: started(status, new Date()) }));
    for (let index = 0; index < 50; index += 1)
      await app.jobStore.change(jobId, ({ status }) => ({ status: progressed(status, { processed: index }) }));
    expect((await stream.next()).value).toMatchObject({
      sequence: 2,
      collapsed: 0,
      job: { status: { state: 'ACTIVE' } },
    });
    expect((await stream.next()).value).toMatchObject({ sequence: 52, collapsed: 49 });
    await stream.return!();
    streams.close();
  });

  it('refuse a sequence number that is still to come', async () => {
    const streams = createJobStreams(app);
    const jobId = await submitJob();
    await expect(streams.follow(jobId, 99, () => app.jobStore.find(jobId))).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
    expect(streams.size).toBe(0);
    streams.close();
  });

  it('hear of what happened on another API node', async () => {
    const otherApp = await createApp(app.config, app.logger);
    const otherServer = await startApi(otherApp);
    const there = createGraphqlClient(otherServer.url, await system.token('CLINICIAN'));
    afterAll(async () => {
      await there.close();
      await otherServer.close();
      await otherApp.close();
    });
    const id = (await submitJob()).toHexString();
    const here = await system.client('CLINICIAN');
    const states: string[] = [];
    for await (const { scoringJobUpdated } of there.subscribe(ScoringJobUpdatedDocument, { id })) {
      states.push(scoringJobUpdated.job.state);
      if (states.length === 1) await here.request(CancelScoringJobDocument, { id });
    }
    expect(states).toEqual(['QUEUED', 'CANCELLED']);
  });
});
