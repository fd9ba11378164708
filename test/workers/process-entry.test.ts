/** Covers workers/process-entry.ts and what src/scoring/single-job-runner.ts does with a job that nobody has claimed. */

import { Types } from 'mongoose';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { JobStore } from '../../src/jobs/job-store.js';
import type { ScorablePatient } from '../../src/patients/scorable-patient.js';
import { createRowScorers, type RowScorer } from '../../src/scoring/score-patient.js';
import { createEntryRunners } from '../../workers/process-entry.js';
import { patient, submit } from '../support/scenario.js';
import { clinicianOf } from '../support/clinician.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const { app, client } = system;
const { jobStore, models, scoringRecords } = app;
const { signal } = new AbortController();

/** Submits a job of one patient. It stays in the queue. */
async function newJob(organization?: string) {
  const clinician = await client('CLINICIAN', organization);
  const { id: patientId } = await patient(clinician);
  return { patientId, id: new Types.ObjectId((await submit(clinician, { patientId })).id) };
}

/** Runs entries of single jobs, as a worker does. @returns also the ids of the jobs that were claimed on their own */
function worker({
  meanwhile = async () => undefined,
  jobWithPatient = scoringRecords.jobWithPatient,
  completeNew = jobStore.completeNew,
}: Partial<Pick<typeof scoringRecords, 'jobWithPatient'> & Pick<JobStore, 'completeNew'>> & {
  /** Runs while the patient is scored. */
  readonly meanwhile?: () => Promise<unknown>;
} = {}) {
  const claims: string[] = [];
  const watched: JobStore = {
    ...jobStore,
    completeNew,
    claim: (id, dispatch) => (claims.push(id.toHexString()), jobStore.claim(id, dispatch)),
    claimNew: (id) => (claims.push(id.toHexString()), jobStore.claimNew(id)),
  };
  const scorers = createRowScorers(app.metrics);
  const { single } = createEntryRunners({
    ...app,
    jobStore: watched,
    scoringRecords: { ...scoringRecords, jobWithPatient },
    scorerOf: (model): RowScorer => ({
      ...scorers(model),
      score: async (row) => (await meanwhile(), scorers(model).score(row)),
    }),
    attempts: 3,
    leaseMs: 60_000,
    chunkRunner: { run: async () => undefined },
  });
  const run = (id: Types.ObjectId, isRepeated = false): Promise<void> =>
    single({ kind: 'single', scoringJobId: id.toHexString(), dispatch: 1 })(signal, isRepeated);
  return { run, claims };
}

const predictionsOf = (job: Types.ObjectId) => models.predictions.find({ job }).lean();
const statesOf = async (id: Types.ObjectId) =>
  (await jobStore.find(id))!.transitions.map(({ state, attempts }) => `${state} ${attempts}`);
const inOneAttempt = ['QUEUED 0', 'ACTIVE 1', 'COMPLETED 1'];

test('a job is read together with its patient', async () => {
  const { id, patientId } = await newJob();
  const job = (await jobStore.find(id))!;
  const found = (await scoringRecords.jobWithPatient(id))!;
  const known = (await scoringRecords.patient(job.organization, new Types.ObjectId(patientId)))!;
  const partsOf = ({ _id, birthDate, sex, features, careTeam, breakGlass }: ScorablePatient): object => ({
    ...{ _id, birthDate, sex, features, careTeam, breakGlass },
  });
  expect(found.job).toEqual(job);
  expect(partsOf(found.patient)).toEqual(partsOf(known));
  expect(await scoringRecords.jobWithPatient(new Types.ObjectId())).toBeNull();
});

test('a job on its own is claimed in the write that ends it', async () => {
  const { id, patientId } = await newJob();
  const { run, claims } = worker();
  await run(id);
  expect(claims).toEqual([]);
  const { status, attemptsThisRun, lease } = (await jobStore.find(id))!;
  expect(status).toMatchObject({ sequence: 3, state: 'COMPLETED', stage: 'DONE', processed: 1, attempts: 1 });
  expect(status.startedAt!.getTime()).toBeLessThanOrEqual(status.finishedAt!.getTime());
  expect(attemptsThisRun).toBe(1);
  expect(lease).toBeUndefined();
  expect(await statesOf(id)).toEqual(inOneAttempt);
  expect((await predictionsOf(id)).map((stored) => stored.patient.toHexString())).toEqual([patientId]);
});

test('jobs at the same time share their claims', async () => {
  const jobs = [await newJob(), await newJob(), await newJob()];
  const { run, claims } = worker();
  await Promise.all(jobs.map(({ id }) => run(id)));
  expect(claims).toEqual(jobs.slice(1).map(({ id }) => id.toHexString()));
  for (const { id, patientId } of jobs) {
    expect(await statesOf(id)).toEqual(inOneAttempt);
    expect((await predictionsOf(id)).map((stored) => stored.patient.toHexString())).toEqual([patientId]);
  }
});

test('a job whose entry was delivered before is claimed first, so that its attempts are counted', async () => {
  const { id } = await newJob();
  const { run, claims } = worker();
  await run(id, true);
  expect(claims).toEqual([id.toHexString()]);
  expect(await statesOf(id)).toEqual(inOneAttempt);
});

test.each<readonly [string, (id: Types.ObjectId) => Parameters<typeof worker>[0]]>([
  [
    'that cannot be read together with its patient',
    () => ({ jobWithPatient: () => Promise.reject(new Error('the connection was closed')) }),
  ],
  ['that cannot be claimed and ended in one write', () => ({ completeNew: async () => null })],
  [
    'that takes its time, and is seen ACTIVE,',
    (id) => ({
      meanwhile: async () => expect.poll(async () => (await jobStore.find(id))!.status.state).toBe('ACTIVE'),
    }),
  ],
])('a job %s is claimed before its end', async (_which, options) => {
  const { id } = await newJob();
  const { run, claims } = worker(options(id));
  await run(id);
  expect(claims).toEqual([id.toHexString()]);
  expect(await statesOf(id)).toEqual(inOneAttempt);
  expect(await predictionsOf(id)).toHaveLength(1);
});

test('a job that is cancelled while it is scored has no prediction', async () => {
  const { id } = await newJob();
  const { run } = worker({ meanwhile: () => jobStore.requestCancel(id) });
  await run(id);
  expect(await statesOf(id)).toEqual(['QUEUED 0', 'CANCELLED 0']);
  expect(await predictionsOf(id)).toEqual([]);
});

test('a job that another worker takes while it is scored is left to that worker', async () => {
  const { id } = await newJob();
  const { run } = worker({ meanwhile: () => jobStore.claim(id, 1) });
  await run(id);
  expect(await statesOf(id)).toEqual(['QUEUED 0', 'ACTIVE 1']);
  expect(await predictionsOf(id)).toEqual([]);
});

test('a patient who is deleted while the job is scored has no prediction', async () => {
  const { id, patientId } = await newJob();
  const viewer = await clinicianOf(system);
  const { run } = worker({ meanwhile: () => app.patients.delete(viewer, patientId) });
  await run(id);
  expect((await jobStore.find(id))!.status.state).toBe('CANCELLED');
  expect(await predictionsOf(id)).toEqual([]);
});

/** Makes the claim and the prediction of the next end of a job, then does something, and loses the answer. */
function breakInPart(meanwhile: () => Promise<unknown>): void {
  const mongoClient = models.predictions.db.getClient();
  const { bulkWrite } = mongoClient;
  const bulk = vi.spyOn(mongoClient, 'bulkWrite').mockImplementationOnce(async (writes, ...options) => {
    await bulkWrite.call(mongoClient, writes.slice(0, 2), ...options);
    await meanwhile();
    throw new Error('the connection broke');
  });
  onTestFinished(() => bulk.mockRestore());
}

test('a job whose write was made in part, and not answered, is ended by the worker that made it', async () => {
  const { id } = await newJob();
  const { run, claims } = worker();
  breakInPart(() => jobStore.requestCancel(id));
  await run(id);
  expect(claims).toEqual([]);
  expect(await statesOf(id)).toEqual(inOneAttempt);
  expect(await predictionsOf(id)).toHaveLength(1);
});

test('a job whose patient is deleted when the write was made in part ends without a prediction', async () => {
  const { id, patientId } = await newJob();
  const { run } = worker();
  const viewer = await clinicianOf(system);
  breakInPart(() => app.patients.delete(viewer, patientId));
  await run(id);
  expect(await statesOf(id)).toEqual(['QUEUED 0', 'ACTIVE 1', 'FAILED 1']);
  expect((await jobStore.find(id))!.status.error?.code).toBe('NOT_FOUND');
  expect(await predictionsOf(id)).toEqual([]);
});

test('a number that another worker has taken is not given again to a job that is claimed in the same write', async () => {
  const before = await newJob('numbers');
  await worker().run(before.id);
  // Another worker, which remembers another end of the log.
  const [last] = await predictionsOf(before.id);
  await models.predictions.collection.insertOne({
    logged: { ...last!.logged!, number: last!.logged!.number + 1 },
  } as never);
  const { id } = await newJob('numbers');
  const bulk = vi.spyOn(models.predictions.db.getClient(), 'bulkWrite');
  onTestFinished(() => bulk.mockRestore());
  const { run, claims } = worker();
  await run(id);
  expect(claims).toEqual([]);
  expect(bulk).toHaveBeenCalledTimes(2);
  expect(await statesOf(id)).toEqual(inOneAttempt);
  expect((await predictionsOf(id))[0]!.logged!.number).toBe(last!.logged!.number + 2);
});
