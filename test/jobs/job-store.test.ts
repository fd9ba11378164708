import { EventEmitter, once } from 'node:events';
import mongoose, { Types } from 'mongoose';
import { describe, expect, test, vi } from 'vitest';
import { JobStage, ScoringJobKind, ScoringJobState, type ScoringJob } from '../../models/index.js';
import { completed, progressed, submitted } from '../../src/jobs/job-status.js';
import { createJobStore, workerLost, type ClaimedJob } from '../../src/jobs/job-store.js';
import { startSystem } from '../support/system.js';

const { app } = await startSystem({ worker: false });
const attempts = 3;
const store = createJobStore({
  models: app.models,
  events: app.events,
  attempts,
  leaseMs: 60_000,
  announces: () => false,
  metrics: app.metrics,
});
const impatientStore = createJobStore({
  models: app.models,
  events: app.events,
  attempts,
  leaseMs: -1,
  announces: () => false,
  metrics: app.metrics,
});

async function insertJob(overrides: Partial<ScoringJob> = {}): Promise<ScoringJob> {
  const status = submitted();
  const now = new Date();
  const job: ScoringJob = {
    _id: new Types.ObjectId(),
    organization: new Types.ObjectId(),
    kind: ScoringJobKind.SINGLE,
    status,
    transitions: [status],
    total: 1,
    submittedAt: now,
    submittedBy: 'a-clinician',
    modelId: 'm',
    modelVersion: '1.0.0',
    modelSha256: 's',
    explain: true,
    priority: 5,
    attemptsThisRun: 0,
    dispatch: 1,
    dispatchedAt: now,
    patient: new Types.ObjectId(),
    ...overrides,
  };
  await store.insert(job);
  return job;
}

describe('changes', () => {
  test('are never lost, however many happen at once', async () => {
    const { _id } = await insertJob();
    await Promise.all(
      Array.from({ length: 50 }, () =>
        store.change(_id, ({ status }) => ({ status: progressed(status, { processed: status.processed + 1 }) })),
      ),
    );
    expect((await store.find(_id))!.status).toMatchObject({ sequence: 51, processed: 50 });
  });

  test('of several jobs are written together without affecting each other', async () => {
    const jobs = await Promise.all(Array.from({ length: 20 }, () => insertJob()));
    await Promise.all(
      jobs.map(({ _id }, index) =>
        store.change(_id, ({ status }) => ({ status: progressed(status, { processed: index }) })),
      ),
    );
    const stored = await Promise.all(jobs.map(({ _id }) => store.find(_id)));
    expect(stored.map((job) => job!.status.processed)).toEqual(jobs.map((_, index) => index));
  });

  test('that are equal for many jobs are written together, but decided again if a job changed meanwhile', async () => {
    const jobs = await Promise.all(Array.from({ length: 20 }, () => insertJob()));
    const overtaken = jobs[7]!;
    const claims = await Promise.all(jobs.map(({ _id }) => store.claim(_id, 1)));
    // No claim has seen this change: each still has sequence 2.
    await store.change(overtaken._id, ({ status }) => ({ status: progressed(status, { stage: JobStage.SAVING }) }));
    const ended = await Promise.all(
      claims.map((claim) =>
        store.changeClaimed(claim!, (status, _job, now) => completed(status, { processed: 1, failed: 0 }, now)),
      ),
    );
    expect(ended).toEqual(jobs.map(() => true));
    const stored = await Promise.all(jobs.map(({ _id }) => store.find(_id)));
    for (const job of stored) {
      expect(job!.status.sequence).toBe(job!._id.equals(overtaken._id) ? 4 : 3);
      expect(job!.transitions.map(({ state }) => state)).toEqual(['QUEUED', 'ACTIVE', 'COMPLETED']);
      expect(job!.lease).toBeUndefined();
    }
  });

  test('of one job by two claims at once are one change, by one of them', async () => {
    const jobs = await Promise.all(Array.from({ length: 10 }, () => insertJob()));
    const claims = await Promise.all(jobs.flatMap(({ _id }) => [store.claim(_id, 1), store.claim(_id, 2)]));
    expect(claims.filter(Boolean)).toHaveLength(jobs.length);
    for (const { _id } of jobs)
      expect((await store.find(_id))!.transitions.map(({ state }) => state)).toEqual(['QUEUED', 'ACTIVE']);
  });

  test('under one idempotency key give one job, the same for all', async () => {
    const organization = new Types.ObjectId();
    const template = await insertJob();
    const results = await Promise.all(
      Array.from({ length: 100 }, () =>
        store.insert({ ...template, _id: new Types.ObjectId(), organization, idempotencyKeyIndex: 'once' }),
      ),
    );
    expect(results.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(results.map(({ job }) => job._id.toHexString())).size).toBe(1);
  });
});

describe('a claim', () => {
  test('belongs to exactly one worker', async () => {
    const { _id } = await insertJob();
    const claims = await Promise.all([1, 2, 3, 4].map((dispatch) => store.claim(_id, dispatch)));
    expect(claims.filter(Boolean)).toHaveLength(1);
    expect((await store.find(_id))!.status).toMatchObject({
      state: ScoringJobState.ACTIVE,
      stage: JobStage.ENCODING,
      attempts: 1,
    });
  });

  test('is taken over when the queue brings the entry again; the first holder then changes nothing', async () => {
    const { _id } = await insertJob();
    const first = await store.claim(_id, 1);
    const second = await store.claim(_id, 1);
    expect(
      await store.changeClaimed(first!, (status) => completed(status, { processed: 1, failed: 0 }, new Date())),
    ).toBe(false);
    expect(
      await store.changeClaimed(second!, (status) => completed(status, { processed: 1, failed: 0 }, new Date())),
    ).toBe(true);
    const job = await store.find(_id);
    expect(job!.transitions.map(({ state }) => state)).toEqual(['QUEUED', 'ACTIVE', 'ACTIVE', 'COMPLETED']);
    expect(await store.claim(_id, 1)).toBeNull();
  });

  const claimedOf = (job: ScoringJob) => ({
    ...job,
    status: { state: 'ACTIVE', sequence: 2, attempts: 1 },
    attemptsThisRun: 1,
    transitions: [{ sequence: 1 }, { sequence: 2 }],
  });
  const completeIt = (claim: ClaimedJob | null) =>
    store.changeClaimed(claim!, (status) => completed(status, { processed: 1, failed: 0 }, new Date()));

  test('on its own is one command, which gives the job', async () => {
    const job = await insertJob();
    const commands = ['find', 'bulkWrite', 'findOneAndUpdate'] as const;
    const spies = commands.map((name) => vi.spyOn(app.models.scoringJobs.collection, name));
    const claim = await store.claim(job._id, 1);
    expect(spies.map(({ mock }) => mock.calls.length)).toEqual([0, 0, 1]);
    spies.forEach((spy) => spy.mockRestore());
    expect(claim!.job).toMatchObject(claimedOf(job));
    expect(await completeIt(claim)).toBe(true);
  });

  test.each(['before', 'after'])('among others is the same when the jobs are read %s the write', async (order) => {
    const jobs = [await insertJob(), await insertJob()];
    const { collection } = app.models.scoringJobs;
    // One of the two commands waits for the other.
    const done = new EventEmitter();
    const otherIsDone = once(done, 'first');
    const find = collection.find.bind(collection) as (...of: unknown[]) => { toArray(): Promise<unknown[]> };
    const write = collection.bulkWrite.bind(collection) as (...of: unknown[]) => Promise<never>;
    const spies = [
      vi.spyOn(collection, 'find').mockImplementation(((...of: unknown[]) => ({
        async toArray() {
          if (order === 'after') await otherIsDone;
          const found = await find(...of).toArray();
          done.emit('first');
          return found;
        },
      })) as never),
      vi.spyOn(collection, 'bulkWrite').mockImplementation((async (...of: unknown[]) => {
        if (order === 'before') await otherIsDone;
        const written = await write(...of);
        done.emit('first');
        return written;
      }) as never),
    ];
    const claims = await Promise.all(jobs.map(({ _id }) => store.claim(_id, 1)));
    for (const { mock } of spies) expect(mock.calls).toHaveLength(1);
    spies.forEach((spy) => spy.mockRestore());
    for (const [index, claim] of claims.entries()) {
      expect(claim!.job).toMatchObject(claimedOf(jobs[index]!));
      expect(await completeIt(claim)).toBe(true);
    }
  });

  test('whose answer is lost is known by its own id, and counts one attempt', async () => {
    const job = await insertJob();
    const { collection } = app.models.scoringJobs;
    const claimIt = collection.findOneAndUpdate.bind(collection) as (...of: unknown[]) => Promise<unknown>;
    vi.spyOn(collection, 'findOneAndUpdate').mockImplementationOnce((async (...of: unknown[]) => {
      await claimIt(...of);
      throw new mongoose.mongo.MongoNetworkError('read ECONNRESET');
    }) as never);
    const claim = await store.claim(job._id, 1);
    expect(claim!.job).toMatchObject(claimedOf(job));
    expect(await completeIt(claim)).toBe(true);
  });

  test('of a job that was cancelled before ends it', async () => {
    const job = await insertJob();
    await store.requestCancel(job._id);
    expect(await store.claim(job._id, 1)).toBeNull();
    expect((await store.find(job._id))!.status).toMatchObject({ state: 'CANCELLED', sequence: 2 });
  });

  test('is not given for a job that was removed, or that nobody has stored', async () => {
    const job = await insertJob();
    await app.models.scoringJobs.deleteOne({ _id: job._id });
    expect(await store.claim(job._id, 1)).toBeNull();
    expect(await store.claim(new Types.ObjectId(), 1)).toBeNull();
  });

  test('is taken over by another entry once the lease has ended', async () => {
    const { _id } = await insertJob();
    await impatientStore.claim(_id, 1);
    expect(await store.claim(_id, 2)).not.toBeNull();
  });

  test('ends a job when every attempt died with its worker', async () => {
    const { _id } = await insertJob();
    for (let attempt = 0; attempt < attempts; attempt += 1) expect(await impatientStore.claim(_id, 1)).not.toBeNull();
    expect(await impatientStore.claim(_id, 1)).toBeNull();
    expect((await store.find(_id))!.status).toMatchObject({
      state: ScoringJobState.FAILED,
      attempts,
      error: workerLost,
    });
  });

  test('is not given for a job with a cancel request; the job ends instead', async () => {
    const { _id } = await insertJob();
    await store.claim(_id, 1);
    await store.requestCancel(_id);
    expect(await store.claim(_id, 1)).toBeNull();
    expect((await store.find(_id))!.status.state).toBe(ScoringJobState.CANCELLED);
  });
});
