import { Types } from 'mongoose';
import { describe, expect, test } from 'vitest';
import {
  CancelScoringJobDocument,
  RetryScoringJobDocument,
  ScoringJobDocument,
  ScoringJobsDocument,
  ScoringJobUpdatedDocument,
  type SubmitScoringJobInput,
} from '../../src/client/generated/graphql.js';
import { GraphqlRequestError } from '../../src/client/errors.js';
import { startWorkers } from '../../workers/index.js';
import { heartDisease, modelId } from '../support/heart-disease.js';
import { ended, patient, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

// No worker until a test starts one: jobs stay QUEUED.
const system = await startSystem({ worker: false });
const client = await system.client('CLINICIAN');

const createPatient = async (): Promise<string> => (await patient(client)).id;
const submitOne = async (input: Partial<SubmitScoringJobInput> = {}) =>
  submit(client, { ...input, patientId: input.patientId ?? (await createPatient()) });
const codeOf = (attempt: Promise<unknown>): Promise<string | undefined> =>
  attempt.then(
    () => 'none',
    (error: unknown) => (error instanceof GraphqlRequestError ? error.code : Promise.reject(error)),
  );

/** Runs a worker until the job has ended. @returns its end */
async function finish(id: string): Promise<string> {
  const workers = await startWorkers(system.app);
  try {
    return (await ended(client, id)).state;
  } finally {
    await workers.close();
  }
}

describe('an idempotency key', () => {
  test('gives one job to 100 identical requests at once', async () => {
    const patientId = await createPatient();
    const before = await system.app.models.scoringJobs.countDocuments();
    const jobs = await Promise.all(Array.from({ length: 100 }, () => submitOne({ patientId, idempotencyKey: 'race' })));
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(1);
    expect(await system.app.models.scoringJobs.countDocuments()).toBe(before + 1);
    // A submission that lost the race is on record as one that came to nothing.
    const { auditEvents } = system.app.models;
    const events = await auditEvents.find({ action: 'job:submit', patients: new Types.ObjectId(patientId) }).lean();
    const ofOthers = events.filter(({ subject }) => subject?.id !== jobs[0]!.id);
    const idsOf = (outcome: string): (string | undefined)[] =>
      ofOthers.flatMap((event) => (event.outcome === outcome ? [event.subject?.id] : [])).sort();
    expect(idsOf('FAILED')).toEqual(idsOf('ALLOWED'));
    expect(events.length - ofOthers.length).toBe(1);
  });

  test('gives one batch to 20 identical requests at once, and leaves no chunks of the others', async () => {
    const patientIds = [await createPatient(), await createPatient()];
    const before = await system.app.models.scoringChunks.countDocuments();
    const submissions = Array.from({ length: 20 }, () => submit(client, { patientIds, idempotencyKey: 'batch race' }));
    const jobs = await Promise.all(submissions);
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(1);
    expect(await system.app.models.scoringChunks.countDocuments()).toBe(before + 1);
  });

  test('is CONFLICT for another request, of either kind, and nothing is stored', async () => {
    const patientId = await createPatient();
    const job = await submitOne({ patientId, idempotencyKey: 'once' });
    const other = await createPatient();
    const before = await system.counts();
    expect(await codeOf(submitOne({ patientId: other, idempotencyKey: 'once' }))).toBe('CONFLICT');
    expect(await codeOf(submitOne({ patientId, idempotencyKey: 'once', priority: 1 }))).toBe('CONFLICT');
    expect(await codeOf(submit(client, { patientIds: [patientId], idempotencyKey: 'once' }))).toBe('CONFLICT');
    expect((await submitOne({ patientId, idempotencyKey: 'once' })).id).toBe(job.id);
    expect(await system.counts()).toEqual(before);
  });

  test('belongs to its organization', async () => {
    const job = await submitOne({ idempotencyKey: 'shared' });
    const other = await system.client('CLINICIAN', 'beta');
    const created = await patient(other);
    const theirs = await submit(other, { patientId: created.id, idempotencyKey: 'shared' });
    expect(theirs.id).not.toBe(job.id);
  });

  test('that is missing makes every request a job of its own', async () => {
    const patientId = await createPatient();
    expect((await submitOne({ patientId })).id).not.toBe((await submitOne({ patientId })).id);
  });
});

describe('a single job', () => {
  test('is cancelled while it waits, at once and for good; cancelling again changes nothing', async () => {
    const { id } = await submitOne();
    const { cancelScoringJob } = await client.request(CancelScoringJobDocument, { id });
    expect(cancelScoringJob).toMatchObject({ id, state: 'CANCELLED', sequence: 2, finishedAt: expect.any(String) });
    expect((await client.request(CancelScoringJobDocument, { id })).cancelScoringJob).toEqual(cancelScoringJob);
    expect((await client.request(ScoringJobDocument, { id })).scoringJob).toMatchObject({
      state: 'CANCELLED',
      prediction: null,
    });
  });

  test('that is cancelled sends CANCELLED to its subscriber', async () => {
    const { id } = await submitOne();
    const states: string[] = [];
    for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id })) {
      states.push(scoringJobUpdated.job.state);
      if (states.length === 1) await client.request(CancelScoringJobDocument, { id });
    }
    expect(states).toEqual(['QUEUED', 'CANCELLED']);
  });

  test('that was cancelled runs again on a retry, and its sequence numbers continue', async () => {
    const { id } = await submitOne();
    await client.request(CancelScoringJobDocument, { id });
    const { retryScoringJob } = await client.request(RetryScoringJobDocument, { id });
    expect(retryScoringJob).toMatchObject({ id, state: 'QUEUED', sequence: 3, finishedAt: null, error: null });
    expect(await finish(id)).toBe('COMPLETED');
    expect((await client.request(ScoringJobDocument, { id })).scoringJob).toMatchObject({
      attempts: 1,
      prediction: { id: expect.any(String) },
    });
    const shown = async (last: string) => {
      const query = `{ scoringJob(id: "${id}") { submittedAt startedAt finishedAt
        transitions${last} { state attempt at errorCode } } }`;
      return system.post<{ scoringJob: Record<string, unknown> }>(query, {}, await system.token('ADMIN'));
    };
    const { submittedAt, startedAt, finishedAt, transitions } = (await shown('')).data!.scoringJob;
    const inBetween = { at: expect.any(String), errorCode: null, attempt: 0 };
    expect(transitions).toEqual([
      { state: 'QUEUED', attempt: 0, at: submittedAt, errorCode: null },
      { state: 'CANCELLED', ...inBetween },
      { state: 'QUEUED', ...inBetween },
      { state: 'ACTIVE', attempt: 1, at: startedAt, errorCode: null },
      { state: 'COMPLETED', attempt: 1, at: finishedAt, errorCode: null },
    ]);
    expect((await shown('(last: 1)')).data!.scoringJob['transitions']).toEqual((transitions as object[]).slice(-1));
    for (const last of ['(last: 0)', '(last: 201)'])
      expect((await shown(last)).errors![0]!.extensions).toMatchObject({ fields: [{ path: 'last' }] });
  });

  test('shows a change in the answer to the mutation that made it', async () => {
    const { id } = await submitOne();
    for (const [mutation, states] of [
      ['cancelScoringJob', ['QUEUED', 'CANCELLED']],
      ['retryScoringJob', ['QUEUED', 'CANCELLED', 'QUEUED']],
    ] as const) {
      const { data } = await system.post<Record<string, { transitions: { state: string }[] }>>(
        `mutation { ${mutation}(id: "${id}") { transitions { state } } }`,
        {},
        await system.token('CLINICIAN'),
      );
      expect(data![mutation]!.transitions.map(({ state }) => state)).toEqual(states);
    }
    await client.request(CancelScoringJobDocument, { id });
  });

  test('that is COMPLETED can be neither cancelled nor retried', async () => {
    const { id } = await submitOne();
    expect(await codeOf(client.request(RetryScoringJobDocument, { id }))).toBe('CONFLICT');
    expect(await finish(id)).toBe('COMPLETED');
    const before = (await client.request(ScoringJobDocument, { id })).scoringJob;
    expect(await codeOf(client.request(CancelScoringJobDocument, { id }))).toBe('CONFLICT');
    expect(await codeOf(client.request(RetryScoringJobDocument, { id }))).toBe('CONFLICT');
    expect((await client.request(ScoringJobDocument, { id })).scoringJob).toEqual(before);
  });

  test('names the model and the patient that it was submitted for', async () => {
    const patientId = await createPatient();
    const { id } = await submitOne({ patientId, modelVersion: heartDisease.version, priority: 3, explain: true });
    const token = await system.token('CLINICIAN');
    const { data } = await system.post(
      /* GraphQL */ `
        {
          scoringJob(id: "${id}") {
            priority
            model {
              id
              version
              sha256
            }
            patient {
              id
            }
            submittedBy
            predictions {
              totalCount
            }
          }
        }
      `,
      undefined,
      token,
    );
    expect(data).toEqual({
      scoringJob: {
        priority: 3,
        model: {
          id: `${modelId}@${heartDisease.version}`,
          version: heartDisease.version,
          sha256: heartDisease.model.sha256,
        },
        patient: { id: patientId },
        submittedBy: 'the-clinician',
        predictions: { totalCount: 0 },
      },
    });
  });

  test('that was submitted without an explanation is explained when a caller asks', async () => {
    const { id } = await submitOne({ explain: false });
    expect(await finish(id)).toBe('COMPLETED');
    const { scoringJob } = await client.request(ScoringJobDocument, { id });
    const { explanation, rawOutput } = scoringJob!.prediction!;
    const sum = explanation!.contributions.reduce((total, { value }) => total + value, explanation!.baseValue);
    expect(Math.abs(sum - rawOutput)).toBeLessThan(1e-5);
  });
});

test('a batch scores every patient named, each once, and shows in the same subscription', async () => {
  const patientIds = await Promise.all([createPatient(), createPatient(), createPatient()]);
  const batch = await submit(client, { patientIds: [...patientIds, patientIds[0]!] });
  expect(batch).toMatchObject({ kind: 'BATCH', state: 'QUEUED', progress: { processed: 0, total: 3 } });
  expect(await finish(batch.id)).toBe('COMPLETED');
  const token = await system.token('CLINICIAN');
  interface Batch {
    readonly scoringJob: {
      readonly predictions: {
        readonly totalCount: number;
        readonly edges: { readonly node: { readonly patient: { readonly id: string } } }[];
      };
    };
  }
  const { data } = await system.post<Batch>(
    /* GraphQL */ `
      {
        scoringJob(id: "${batch.id}") {
          patient {
            id
          }
          prediction {
            id
          }
          predictions {
            totalCount
            edges {
              node {
                patient {
                  id
                }
              }
            }
          }
          failures {
            code
          }
        }
      }
    `,
    undefined,
    token,
  );
  expect(data).toMatchObject({
    scoringJob: { patient: null, prediction: null, failures: [], predictions: { totalCount: 3 } },
  });
  expect(data!.scoringJob.predictions.edges.map(({ node }) => node.patient.id).sort()).toEqual([...patientIds].sort());
});

test('jobs are listed newest first and by state, kind, patient, model and time', async () => {
  const owner = await system.client('CLINICIAN', 'gamma');
  const created = await patient(owner);
  const first = await submit(owner, { patientId: created.id });
  const second = await submit(owner, { all: true });
  const third = await submit(owner, { patientId: created.id });
  await owner.request(CancelScoringJobDocument, { id: third.id });
  const ids = async (filter?: object): Promise<string[]> =>
    (await owner.request(ScoringJobsDocument, { filter })).scoringJobs.edges.map(({ node }) => node.id);
  expect(await ids()).toEqual([third.id, second.id, first.id]);
  expect(await ids({ states: ['QUEUED'] })).toEqual([second.id, first.id]);
  expect(await ids({ states: ['CANCELLED', 'FAILED'] })).toEqual([third.id]);
  expect(await ids({ states: [] })).toEqual([]);
  expect(await ids({ kind: 'SINGLE' })).toEqual([third.id, first.id]);
  expect(await ids({ kind: 'SINGLE', patientId: created.id, modelId, states: ['QUEUED'] })).toEqual([first.id]);
  expect(await ids({ patientId: 'garbage' })).toEqual([]);
  expect(await ids({ modelId: 'other' })).toEqual([]);
  expect(await ids({ submittedAfter: '2999-01-01T00:00:00Z' })).toEqual([]);
});
