import { Types } from 'mongoose';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Role, type ScoringJob } from '../../models/index.js';
import { startApi } from '../../src/api.js';
import { createApp } from '../../src/app.js';
import { apiClient } from '../../src/commands/api-client.js';
import { CancelScoringJobDocument, ScoringJobUpdatedDocument } from '../../src/client/generated/graphql.js';
import type { SelectJobs } from '../../src/jobs/job-list-stream.js';
import { cancelled, progressed, revived, started } from '../../src/jobs/job-status.js';
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

  test('go on behind a change that a newly elected primary does not know yet', async () => {
    const streams = createJobStreams(app);
    const jobId = await submitJob();
    const before = await app.jobStore.find(jobId);
    await app.jobStore.change(jobId, ({ status }) => ({ status: started(status, new Date()) }));
    const answers = [before];
    const stream = await streams.follow(jobId, 2, async () => answers.shift() ?? app.jobStore.find(jobId));
    await app.jobStore.change(jobId, ({ status }) => ({ status: progressed(status, { processed: 1 }) }));
    expect((await stream.next()).value).toMatchObject({ sequence: 3, collapsed: 0 });
    await stream.return!();
    streams.close();
  });

  test('do not end with a job whose end is older than what was sent', async () => {
    const streams = createJobStreams(app);
    const jobId = await submitJob();
    await app.jobStore.change(jobId, ({ status }) => ({ status: cancelled(status, new Date()) }));
    const ended = await app.jobStore.find(jobId);
    const change = () => app.jobStore.change(jobId, ({ status }) => ({ status: revived(status, new Date()) }));
    await change();
    const answers = [await app.jobStore.find(jobId), ended];
    const read = async () => answers.shift() ?? app.jobStore.find(jobId);
    const stream = await streams.follow(jobId, 3, read);
    const next = stream.next();
    await change();
    await expect.poll(() => answers.length).toBe(0);
    await change();
    // The first change alone, or both at once.
    const { value } = (await next) as { value: { sequence: number; collapsed: number; job: ScoringJob } };
    expect(value.sequence - value.collapsed).toBe(4);
    expect(value.job.status.state).toBe('QUEUED');
    await stream.return!();
    streams.close();
  });

  test('to lists send nothing twice when a failover undoes a change', async () => {
    const streams = createJobStreams(app);
    const jobId = await submitJob();
    const reads = new Set<number>();
    const select: SelectJobs = async (jobs) => {
      const own = jobs.filter(({ _id }) => _id.equals(jobId));
      own.forEach(({ status }) => reads.add(status.sequence));
      return own.map((job) => ({ job, matches: true }));
    };
    const stream = streams.followList(await system.organizationId(), select);
    const start = () => app.jobStore.change(jobId, ({ status }) => ({ status: started(status, new Date()) }));
    await start();
    const { value: first } = (await stream.next()) as { value: { sequence: number } };
    expect(first).toMatchObject({ sequence: 2 });
    const next = stream.next();
    reads.clear();
    const { organization } = (await app.models.scoringJobs
      .findOneAndUpdate({ _id: jobId }, { 'status.sequence': 1 })
      .lean<ScoringJob>())!;
    const event = { scoringJobId: jobId.toHexString(), organizationId: organization.toHexString(), ended: false };
    app.events.publish('scoringJobChanged', event);
    await expect.poll(() => reads.has(1)).toBe(true);
    await start();
    await expect.poll(() => reads.has(2)).toBe(true);
    await start();
    expect((await next).value).toMatchObject({ sequence: 3, collapsed: 0 });
    await stream.return!();
    streams.close();
  });

  test('to a job that a primary of just now does not know yet begin when it knows it', async () => {
    const streams = createJobStreams(app);
    onTestFinished(() => streams.close());
    const jobId = await submitJob();
    const tries: boolean[] = [];
    const stream = await streams.follow(jobId, 0, async ({ isTry }) => {
      tries.push(isTry);
      return isTry ? null : app.jobStore.find(jobId);
    });
    expect(await stream.next()).toMatchObject({ value: { sequence: 1 } });
    expect(tries).toEqual([true, false]);
  });

  test('to a job that there is not are recorded as one denial', async () => {
    const token = await system.token('CLINICIAN', 'absent');
    const organization = new Types.ObjectId(await system.organizationId('absent'));
    const client = apiClient(system.url, token);
    const events = client.subscribe(ScoringJobUpdatedDocument, { id: new Types.ObjectId().toHexString() });
    await expect(events[Symbol.asyncIterator]().next()).rejects.toThrow('not found');
    const denials = await app.models.auditEvents.find({ organization, outcome: 'DENIED' }).lean();
    expect(denials).toMatchObject([{ action: 'job:read' }]);
  });

  test('read a job once for changes that come close together, and do not wait when it ends', async () => {
    // Without the comparison with MongoDB every few seconds, an event that is passed over leaves the follower waiting.
    vi.useFakeTimers({ toFake: ['setInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const streams = createJobStreams({ ...app, gatheringMs: 60_000 });
    onTestFinished(() => streams.close());
    const jobId = await submitJob();
    const reads: (number | undefined)[] = [];
    const stream = await streams.follow(jobId, 0, async () => {
      const job = await app.jobStore.find(jobId);
      reads.push(job?.status.sequence);
      return job;
    });
    await stream.next();
    await app.jobStore.change(jobId, ({ status }) => ({ status: started(status, new Date()) }));
    await app.jobStore.change(jobId, ({ status }) => ({ status: cancelled(status, new Date()) }));
    expect([await stream.next(), await stream.next()]).toMatchObject(
      [2, 3].map((sequence) => ({ value: { sequence } })),
    );
    expect(await stream.next()).toMatchObject({ done: true });
    expect(reads).toEqual([1, 3]);
  });

  test('to a job show no change that a failover may undo', async () => {
    const find = vi.spyOn(app.models.scoringJobs.collection, 'find');
    onTestFinished(() => find.mockRestore());
    const client = await system.client('SERVICE');
    const id = (await submitJob()).toHexString();
    const events = client.subscribe(ScoringJobUpdatedDocument, { id })[Symbol.asyncIterator]();
    await events.next();
    await events.return!();
    expect(find.mock.calls.map(([, options]) => options?.readConcern)).toContainEqual({ level: 'majority' });
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
