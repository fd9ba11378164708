import { Types } from 'mongoose';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Role } from '../../models/index.js';
import { startApi } from '../../src/api.js';
import { createApp } from '../../src/app.js';
import { apiClient } from '../../src/commands/api-client.js';
import { CancelScoringJobDocument, ScoringJobUpdatedDocument } from '../../src/client/generated/graphql.js';
import { progressed, started } from '../../src/jobs/job-status.js';
import { createJobStreams } from '../../src/jobs/job-stream.js';
import { createPredictionStreams } from '../../src/predictions/prediction-stream.js';
import { patient, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const { app } = system;

async function submitJob(): Promise<Types.ObjectId> {
  const client = await system.client('CLINICIAN');
  const created = await patient(client);
  const job = await submit(client, { patientId: created.id });
  return new Types.ObjectId(job.id);
}

describe('subscriptions', () => {
  test('leave no listener behind after 10,000 of them', async () => {
    const streams = createJobStreams(app);
    const predictionStreams = createPredictionStreams(app);
    const jobId = await submitJob();
    const organizationId = await system.organizationId();
    for (let round = 0; round < 100; round += 1) {
      await Promise.all(
        Array.from({ length: 100 }, async (_, index) => {
          const stream = await streams.follow(jobId, 0, () => app.jobStore.find(jobId));
          if (index % 2 === 0) await stream.next();
          // Half of the subscriptions end while they wait for the next change.
          const waiting = index % 4 === 0 ? stream.next() : undefined;
          await stream.return!();
          if (waiting) expect((await waiting).done).toBe(true);
          const { predictions } = await predictionStreams.follow({
            follower: { organizationId, role: Role.SERVICE, username: 'reader' },
            patientId: null,
            after: null,
          });
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

  test('fold progress for a slow reader, but never a change of state', async () => {
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

  test('refuse a sequence number above the current one', async () => {
    const streams = createJobStreams(app);
    const jobId = await submitJob();
    await expect(streams.follow(jobId, 99, () => app.jobStore.find(jobId))).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
    expect(streams.size).toBe(0);
    streams.close();
  });

  test('get events of another API node', async () => {
    const otherApp = await createApp(app.config, app.logger);
    const otherServer = await startApi(otherApp);
    const there = apiClient(otherServer.url, await system.token('CLINICIAN'));
    onTestFinished(async () => {
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
