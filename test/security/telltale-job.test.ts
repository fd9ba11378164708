/** Covers src/jobs/visible-jobs.ts, src/jobs/job-service.ts. */
// Threat: a job tells a colleague that a patient was scored, by which user, when and how often. Therefore a job about
// one patient is visible only to callers who may see the patient.

import { Types } from 'mongoose';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { ScoringJob } from '../../models/index.js';
import { progressed, started } from '../../src/jobs/job-status.js';
import { careTeams, type ScoredPatient } from '../support/care-team.js';
import { modelId } from '../support/heart-disease.js';
import { connectSocket, type RawSocket } from '../support/raw-socket.js';
import { pages } from '../support/scenario.js';
import { codesOf, startSystem } from '../support/system.js';

const system = await startSystem();
const { models, jobStore } = system.app;
const { clinician, patientOf, breakGlass, endBreakGlass, eventsOf } = careTeams(system);
const [ada, bob] = await Promise.all([clinician('ada'), clinician('bob')]);

let hers: ScoredPatient;
let batchId: string;
beforeEach(async () => {
  const opened = await patientOf(null, ada);
  hers = await patientOf(['ada'], ada);
  const { data } = await system.post<{ submitBatchScoringJob: { id: string } }>(
    /* GraphQL */ `
      mutation {
        submitBatchScoringJob(
          input: {modelId: "${modelId}", patientIds: ["${hers.id}", "${opened.id}"]}
        ) {
          id
        }
      }
    `,
    undefined,
    ada,
  );
  batchId = data!.submitBatchScoringJob.id;
  await patientOf(null, ada);
});

interface Listed {
  readonly scoringJobs: {
    readonly totalCount: number;
    readonly edges: readonly { readonly node: { readonly id: string } }[];
    readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean };
  };
}

/** All jobs that a clinician finds in lists, page by page, and the number of jobs that each page gives. */
async function listed(token: string, filter = '{}'): Promise<{ ids: string[]; counts: number[] }> {
  const ids: string[] = [];
  const counts: number[] = [];
  const query = /* GraphQL */ `
    query ($after: String) {
      scoringJobs(first: 2, after: $after, filter: ${filter}) {
        totalCount
        edges {
          node {
            id
          }
        }
        pageInfo {
          endCursor
          hasNextPage
        }
      }
    }
  `;
  const read = async (after: string | null): Promise<Listed['scoringJobs']> =>
    (await system.post<Listed>(query, { after }, token)).data!.scoringJobs;
  for await (const { edges, totalCount } of pages(read)) {
    ids.push(...edges.map(({ node }) => node.id));
    counts.push(totalCount);
  }
  return { ids, counts };
}

async function follow(token: string, jobId: string): Promise<RawSocket> {
  const socket = await connectSocket(system.url, token);
  socket.send({
    type: 'subscribe',
    id: '1',
    payload: { query: `subscription { scoringJobUpdated(id: "${jobId}") { sequence job { state } } }` },
  });
  return socket;
}

/** A job of the patient that a worker holds until the end of the test. */
async function runningJob(): Promise<Types.ObjectId> {
  const job = await models.scoringJobs.findById(hers.jobId).lean<ScoringJob>().orFail();
  const { finishedAt: _finishedAt, ...status } = started(job.status, new Date());
  const lease = { token: 'a-worker', dispatch: job.dispatch, expiresAt: new Date(Date.now() + 600_000) };
  const running: ScoringJob = { ...job, _id: new Types.ObjectId(), status, lease };
  await jobStore.insert(running);
  onTestFinished(async () => void (await models.scoringJobs.deleteOne({ _id: running._id })));
  return running._id;
}

/** The answer without the id that was asked for and that of the request. */
const withoutIds = (answer: object, id: string): string =>
  JSON.stringify({ ...answer, text: '' })
    .replaceAll(id, '')
    .replace(/"requestId":"[^"]+"/, '');

describe('a job about a patient who is closed to a colleague', () => {
  // Shows: 164.312(a)(1)
  test.each<[string, string, () => string]>([
    ['read', 'job:read', () => `{ scoringJob(id: "${hers.jobId}") { id } }`],
    ['cancelled', 'job:control', () => `mutation { cancelScoringJob(id: "${hers.jobId}") { id } }`],
    ['retried', 'job:control', () => `mutation { retryScoringJob(id: "${hers.jobId}") { id } }`],
  ])('is NOT_FOUND when it is %s, and the attempt is recorded', async (_name, action, operation) => {
    const before = await models.scoringJobs.findById(hers.jobId).lean();
    const [answer, ofNone] = [
      await system.post(operation(), undefined, bob),
      await system.post(operation().replace(hers.jobId, 'aaaaaaaaaaaaaaaaaaaaaaaa'), undefined, bob),
    ];
    expect(withoutIds(answer, hers.jobId)).toBe(withoutIds(ofNone, 'aaaaaaaaaaaaaaaaaaaaaaaa'));
    expect(codesOf(answer)).toEqual(action === 'job:read' ? [] : ['NOT_FOUND']);
    expect(await models.scoringJobs.findById(hers.jobId).lean()).toEqual(before);
    expect((await eventsOf(hers.id, 'bob')).at(-1)).toMatchObject({
      action,
      outcome: 'DENIED',
      subject: { kind: 'SCORING_JOB', id: hers.jobId },
    });
  });

  // Shows: 164.312(a)(1)
  test('is NOT_FOUND to subscriptions', async () => {
    expect(await (await follow(bob, hers.jobId)).next()).toMatchObject({
      type: 'error',
      payload: [{ extensions: { code: 'NOT_FOUND' } }],
    });
    expect((await eventsOf(hers.id, 'bob')).at(-1)).toMatchObject({ action: 'job:read', outcome: 'DENIED' });
  });

  // Shows: 164.312(a)(1)
  test('is in no list, and the number of jobs does not count it', async () => {
    const all = await listed(ada);
    const closed = new Set(
      (
        await models.scoringJobs
          .find({ patient: { $in: await models.patients.distinct('_id', { careTeam: 'ada' }) } })
          .lean()
      ).map(({ _id }) => _id.toHexString()),
    );
    expect(closed).toContain(hers.jobId);
    expect(all.ids).toEqual(expect.arrayContaining([...closed, batchId]));
    const open = all.ids.filter((id) => !closed.has(id));
    expect(await listed(bob)).toEqual({
      ids: open,
      counts: Array.from({ length: Math.ceil(open.length / 2) }, () => open.length),
    });
    expect(await listed(bob, `{ patientId: "${hers.id}" }`)).toEqual({ ids: [], counts: [0] });
    expect((await listed(ada, `{ patientId: "${hers.id}" }`)).ids).toEqual([hers.jobId]);
  });

  // Shows: 164.312(a)(1)
  test('is not given to a colleague who repeats the request that created it', async () => {
    const submit = /* GraphQL */ `
      mutation {
        submitScoringJob(
          input: {patientId: "${hers.id}", modelId: "${modelId}", idempotencyKey: "visit-${hers.id}"}
        ) {
          id
        }
      }
    `;
    const { data } = await system.post(submit, undefined, ada);
    const repeated = await system.post(submit, undefined, bob);
    expect(codesOf(repeated)).toEqual(['FORBIDDEN']);
    expect((await eventsOf(hers.id, 'bob')).at(-1)).toMatchObject({ action: 'job:submit', outcome: 'DENIED' });
    expect((await system.post(submit, undefined, ada)).data).toEqual(data);
    await models.scoringJobs.deleteMany({ _id: Object.values(data!).map((job) => (job as { id: string }).id) });
  });

  test('is visible to roles that see no names, without any name', async () => {
    for (const role of ['ANALYST', 'SERVICE', 'ADMIN'] as const) {
      const token = await system.token(role);
      expect((await system.post(`{ scoringJob(id: "${hers.jobId}") { id } }`, undefined, token)).data).toEqual({
        scoringJob: { id: hers.jobId },
      });
      // ADMIN may not see the patient of a job, so a list must not tell it by a filter.
      const filter = role === 'ADMIN' ? '{ kind: SINGLE }' : `{ patientId: "${hers.id}" }`;
      expect((await listed(token, filter)).ids).toContain(hers.jobId);
    }
  });
});

// Shows: 164.312(a)(1)
test('a batch belongs to the organization: a colleague finds it, with its other patients', async () => {
  const { data } = await system.post(`{ scoringJob(id: "${batchId}") { kind progress { total } } }`, undefined, bob);
  expect(data).toEqual({ scoringJob: { kind: 'BATCH', progress: { total: 2 } } });
  expect(await (await follow(bob, batchId)).next()).toMatchObject({
    type: 'next',
    payload: { data: { scoringJobUpdated: { job: {} } } },
  });
});

describe('after breaking the glass', () => {
  // Shows: 164.312(a)(2)(ii)
  test('the job is read, listed, followed, cancelled and retried, and each is flagged', async () => {
    const known = (await eventsOf(hers.id, 'bob')).length;
    await breakGlass(`patientId: "${hers.id}"`, bob);
    onTestFinished(() => endBreakGlass(hers.id));
    const jobId = (await runningJob()).toHexString();
    expect((await system.post(`{ scoringJob(id: "${jobId}") { state } }`, undefined, bob)).data).toEqual({
      scoringJob: { state: 'ACTIVE' },
    });
    expect((await listed(bob, `{ patientId: "${hers.id}" }`)).ids).toEqual([jobId, hers.jobId]);
    expect(await (await follow(bob, hers.jobId)).next()).toMatchObject({
      type: 'next',
      payload: { data: { scoringJobUpdated: { job: { state: 'COMPLETED' } } } },
    });
    expect((await system.post(`mutation { cancelScoringJob(id: "${jobId}") { id } }`, undefined, bob)).data).toEqual({
      cancelScoringJob: { id: jobId },
    });
    expect(
      codesOf(await system.post(`mutation { retryScoringJob(id: "${hers.jobId}") { id } }`, undefined, bob)),
    ).toEqual(['CONFLICT']);
    const events = (await eventsOf(hers.id, 'bob')).slice(known);
    expect(events.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      'patient:break-glass ALLOWED',
      'job:read ALLOWED',
      'job:read ALLOWED',
      'job:read ALLOWED',
      'job:control ALLOWED',
      'job:control ALLOWED',
      'job:control FAILED',
    ]);
    expect(events.every(({ flagged }) => flagged)).toBe(true);
  });

  // Shows: 164.312(a)(2)(ii)
  test('a subscriber of the job gets no more events after the access has ended', async () => {
    await breakGlass(`patientId: "${hers.id}"`, bob);
    const jobId = await runningJob();
    const socket = await follow(bob, jobId.toHexString());
    const first = (await socket.next()) as {
      type: string;
      payload: { data: { scoringJobUpdated: { sequence: number } } };
    };
    await jobStore.change(jobId, ({ status }) => ({ status: progressed(status, {}) }));
    expect(await socket.next()).toMatchObject({
      type: 'next',
      payload: { data: { scoringJobUpdated: { sequence: first.payload.data.scoringJobUpdated.sequence + 1 } } },
    });
    await endBreakGlass(hers.id);
    await jobStore.change(jobId, ({ status }) => ({ status: progressed(status, {}) }));
    expect(await socket.next()).toMatchObject({ type: 'complete', id: '1' });
    expect((await eventsOf(hers.id, 'bob')).slice(-3)).toMatchObject([
      { action: 'job:read', flagged: true },
      { action: 'job:read', flagged: true },
      { action: 'job:read', outcome: 'DENIED' },
    ]);
  });
});
