/** Covers schema/scoring-job/early-prediction.ts and src/jobs/submitted-jobs.ts. */

import { EventEmitter, once } from 'node:events';
import { Types, type Model } from 'mongoose';
import { afterEach, expect, test, vi } from 'vitest';
import { createEarlyPrediction } from '../../schema/scoring-job/early-prediction.js';
import type { Prediction } from '../../models/index.js';
import { ScoringJobUpdatedDocument, TypedDocumentString } from '../../src/client/generated/graphql.js';
import type { ReadPrediction } from '../../src/predictions/prediction-service.js';
import { cancelled } from '../../src/jobs/job-status.js';
import { createJobStore } from '../../src/jobs/job-store.js';
import { patient, submit } from '../support/scenario.js';
import { scoreClaim } from '../support/score-claim.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const { app } = system;
const job = { _id: new Types.ObjectId(), patient: new Types.ObjectId() };
const reading: ReadPrediction = { prediction: { probability: 0.5 } as Prediction, access: () => 'ALLOWED' };

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Submits a job as this role, and follows it as a clinician until its first change has arrived. */
async function followNew(organization: string, submitter: 'CLINICIAN' | 'SERVICE' = 'SERVICE') {
  const client = await system.client('CLINICIAN', organization);
  const { id } = await submit(await system.client(submitter, organization), { patientId: (await patient(client)).id });
  const changes = client.subscribe(ScoringJobUpdatedDocument, { id })[Symbol.asyncIterator]();
  const { value } = await changes.next();
  expect(value!.scoringJobUpdated.job.state).toBe('QUEUED');
  return { id: new Types.ObjectId(id), changes };
}

async function complete(id: Types.ObjectId): Promise<Prediction> {
  const claim = (await app.jobStore.claim(id, 1))!;
  const scored = await scoreClaim(app, claim);
  expect(await app.jobStore.complete(claim, scored)).toBe(true);
  return scored;
}

/** Number of events about read predictions in the audit trail of the organization. */
const recordedReadings = async (organization: string): Promise<number> =>
  app.models.auditEvents.countDocuments({
    organization: new Types.ObjectId(await system.organizationId(organization)),
    action: 'prediction:read',
  });

/** Gives what is found only after the event. */
function holdBack({ collection }: Pick<Model<unknown>, 'collection'>, event: Promise<unknown>): void {
  const find = collection.find.bind(collection) as (...of: unknown[]) => { toArray(): Promise<unknown[]> };
  vi.spyOn(collection, 'find').mockImplementation(((...of: unknown[]) => ({
    toArray: () => event.then(() => find(...of).toArray()),
  })) as never);
}

test('a follower reads job and prediction at the same time when the job ends, and is recorded once', async () => {
  const { id, changes } = await followNew('early');
  const { scoringJobs, predictions, patients } = app.models;
  const claim = (await app.jobStore.claim(id, 1))!;
  const scored = await scoreClaim(app, claim);
  expect((await changes.next()).value!.scoringJobUpdated.job.state).toBe('ACTIVE');
  // The job is given only after its prediction was asked for. If that came later, both would wait for ever.
  const asked = new EventEmitter();
  const predictionIsAsked = once(asked, 'prediction');
  holdBack(scoringJobs, predictionIsAsked);
  const findPredictions = predictions.collection.find.bind(predictions.collection);
  const findPrediction = vi.spyOn(predictions.collection, 'find').mockImplementation(((...of: []) => {
    asked.emit('prediction');
    return findPredictions(...of);
  }) as never);
  const findCareTeam = vi.spyOn(patients.collection, 'find');
  expect(await app.jobStore.complete(claim, scored)).toBe(true);
  const { value } = await changes.next();
  expect(value!.scoringJobUpdated.job).toMatchObject({
    state: 'COMPLETED',
    prediction: { id: scored._id.toHexString() },
  });
  expect(findPrediction).toHaveBeenCalledTimes(1);
  expect(findCareTeam).toHaveBeenCalledTimes(1);
  expect(await recordedReadings('early')).toBe(1);
});

test('a job that the follower has just submitted is not read at first, and recorded while it is read', async () => {
  // The time stands still, because such a job is known for a second only.
  vi.useFakeTimers({ toFake: ['performance'] });
  const { auditEvents, scoringJobs, predictions, patients } = app.models;
  const findJobs = vi.spyOn(scoringJobs.collection, 'find');
  const { id, changes } = await followNew('own', 'CLINICIAN');
  expect(findJobs).not.toHaveBeenCalled();
  const claim = (await app.jobStore.claim(id, 1))!;
  const scored = await scoreClaim(app, claim);
  expect((await changes.next()).value!.scoringJobUpdated.job.state).toBe('ACTIVE');
  // The prediction is given only after its event was written. If that came later, both would wait for ever.
  const written = new EventEmitter();
  const eventIsWritten = once(written, 'event');
  const insertEvents = auditEvents.collection.insertMany.bind(auditEvents.collection);
  vi.spyOn(auditEvents.collection, 'insertMany').mockImplementation((...of) =>
    insertEvents(...of).finally(() => written.emit('event')),
  );
  holdBack(predictions, eventIsWritten);
  const findCareTeam = vi.spyOn(patients.collection, 'find');
  expect(await app.jobStore.complete(claim, scored)).toBe(true);
  const { value } = await changes.next();
  expect(value!.scoringJobUpdated.job.prediction!.id).toBe(scored._id.toHexString());
  expect(findCareTeam).not.toHaveBeenCalled();
  expect(await recordedReadings('own')).toBe(1);
});

test('the check of the care team at the submission holds for a second, also for what was read early', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  vi.advanceTimersByTime(1);
  const { id, changes } = await followNew('over', 'CLINICIAN');
  const claim = (await app.jobStore.claim(id, 1))!;
  const scored = await scoreClaim(app, claim);
  expect((await changes.next()).value!.scoringJobUpdated.job.state).toBe('ACTIVE');
  vi.advanceTimersByTime(500);
  // The job comes after more than a second. Its prediction was read in time.
  const { predictions, scoringJobs, patients } = app.models;
  const read = new EventEmitter();
  holdBack(
    scoringJobs,
    once(read, 'prediction').then(() => vi.advanceTimersByTime(600)),
  );
  const findPredictions = predictions.collection.find.bind(predictions.collection);
  vi.spyOn(predictions.collection, 'find').mockImplementation(((...of: []) => {
    read.emit('prediction');
    return findPredictions(...of);
  }) as never);
  const findCareTeam = vi.spyOn(patients.collection, 'find');
  expect(await app.jobStore.complete(claim, scored)).toBe(true);
  expect((await changes.next()).value!.scoringJobUpdated.job.prediction!.id).toBe(scored._id.toHexString());
  expect(findCareTeam).toHaveBeenCalled();
});

test('a job that the follower has just submitted is read once it has changed', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const client = await system.client('CLINICIAN', 'changed');
  const id = new Types.ObjectId((await submit(client, { patientId: (await patient(client)).id })).id);
  await app.jobStore.change(id, ({ status }) => ({ status: cancelled(status, new Date()) }));
  const changes = client.subscribe(ScoringJobUpdatedDocument, { id: id.toHexString() })[Symbol.asyncIterator]();
  expect((await changes.next()).value!.scoringJobUpdated.job.state).toBe('CANCELLED');
});

test('a job that another process has changed is read once its event has come', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const client = await system.client('CLINICIAN', 'elsewhere');
  const id = (await submit(client, { patientId: (await patient(client)).id })).id;
  const elsewhere = createJobStore({ ...app, attempts: 3, leaseMs: 60_000, announces: () => false });
  const isHeard = new Promise<void>((resolve) => {
    const stop = app.events.subscribe('scoringJobChanged', ({ scoringJobId, sequence }) => {
      if (scoringJobId === id && sequence === 2) resolve(stop());
    });
  });
  await elsewhere.requestCancel(new Types.ObjectId(id));
  await isHeard;
  const changes = client.subscribe(ScoringJobUpdatedDocument, { id })[Symbol.asyncIterator]();
  expect((await changes.next()).value!.scoringJobUpdated.job.state).toBe('CANCELLED');
});

test('a job that the follower has submitted more than a second ago is read', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  vi.advanceTimersByTime(1);
  const findJobs = vi.spyOn(app.models.scoringJobs.collection, 'find');
  const client = await system.client('CLINICIAN', 'older');
  const { id } = await submit(client, { patientId: (await patient(client)).id });
  vi.advanceTimersByTime(1_002);
  const changes = client.subscribe(ScoringJobUpdatedDocument, { id })[Symbol.asyncIterator]();
  await changes.next();
  expect(findJobs).toHaveBeenCalledTimes(1);
});

test('a job that ends without a prediction is not recorded as a reading of one', async () => {
  const { id, changes } = await followNew('cancelled');
  await app.jobStore.change(id, ({ status }) => ({ status: cancelled(status, new Date()) }));
  const { value } = await changes.next();
  expect(value!.scoringJobUpdated.job).toMatchObject({ state: 'CANCELLED', prediction: null });
  expect(await recordedReadings('cancelled')).toBe(0);
});

test('a prediction that cannot be read at once is read with the job', async () => {
  const { id, changes } = await followNew('outage');
  const find = vi.spyOn(app.models.predictions.collection, 'find').mockImplementationOnce(() => {
    throw new Error('the connection was closed');
  });
  const scored = await complete(id);
  let shown: string | undefined;
  for (let next = await changes.next(); !next.done; next = await changes.next())
    shown = next.value.scoringJobUpdated.job.prediction?.id;
  expect(shown).toBe(scored._id.toHexString());
  expect(find).toHaveBeenCalledTimes(2);
});

test('a prediction that is stored, but whose job was cancelled, is neither shown nor recorded', async () => {
  const { id, changes } = await followNew('stored');
  const claim = (await app.jobStore.claim(id, 1))!;
  await app.scoringRecords.storePrediction(await scoreClaim(app, claim));
  await app.jobStore.changeClaimed(claim, (status) => cancelled(status, new Date()));
  let last: unknown;
  for (let next = await changes.next(); !next.done; next = await changes.next())
    last = next.value.scoringJobUpdated.job;
  expect(last).toMatchObject({ state: 'CANCELLED', prediction: null });
  expect(await recordedReadings('stored')).toBe(0);
});

test('other jobs of the operation show their own predictions', async () => {
  const client = await system.client('CLINICIAN', 'others');
  const { id: patientId } = await patient(client);
  const earlier = await complete(new Types.ObjectId((await submit(client, { patientId })).id));
  const { id } = await submit(client, { patientId });
  const nested = new TypedDocumentString<
    { scoringJobUpdated: { job: NestedJob } },
    { id: string }
  >(`subscription ($id: ID!) { scoringJobUpdated(id: $id) { job {
    state prediction { id } patient { predictions { edges { node { id job { prediction { id } } } } } }
  } } }`);
  const changes = client.subscribe(nested, { id })[Symbol.asyncIterator]();
  await changes.next();
  const later = await complete(new Types.ObjectId(id));
  let last: NestedJob | undefined;
  for (let next = await changes.next(); !next.done; next = await changes.next())
    last = next.value.scoringJobUpdated.job;
  const ids = [later, earlier].map(({ _id }) => _id.toHexString());
  expect(last!.prediction!.id).toBe(ids[0]);
  expect(last!.patient.predictions.edges.map(({ node }) => [node.id, node.job.prediction!.id])).toEqual(
    ids.map((own) => [own, own]),
  );
});

interface NestedJob {
  readonly state: string;
  readonly prediction: { readonly id: string } | null;
  readonly patient: {
    readonly predictions: {
      readonly edges: readonly { readonly node: { readonly id: string; readonly job: NestedJob } }[];
    };
  };
}

test('nothing is read early when the operation does not ask for the prediction', async () => {
  const read = vi.fn(async () => reading);
  const early = createEarlyPrediction(job._id, read);
  early.expect({ _id: new Types.ObjectId() });
  early.begin(false);
  expect(await early.take(job)).toBeUndefined();
  expect(read).not.toHaveBeenCalled();
});

test('a prediction that was read is given for a second, since rights may be taken away after that', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const early = createEarlyPrediction(job._id, async () => reading);
  early.expect(job);
  early.begin(false);
  vi.advanceTimersByTime(999);
  expect(await early.take(job)).toBe(reading);
  expect(await early.take({ _id: new Types.ObjectId() })).toBeUndefined();
  vi.advanceTimersByTime(1);
  expect(await early.take(job)).toBeUndefined();
});
