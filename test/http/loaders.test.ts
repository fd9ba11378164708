import { beforeAll, describe, expect, test } from 'vitest';
import { ended, patient, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const system = await startSystem();
const client = await system.client('CLINICIAN');
const token = await system.token('CLINICIAN');

/** Tries of each request. */
const tries = 10;

/**
 * Answer of a request, and the number of reads of each collection while it is served. Of several tries it gives the one
 * with the fewest reads: on a busy machine the time of a turn (fair-turns.ts) may end in the middle of a page, and the
 * rest of the page then takes a query more.
 */
async function readsOf(query: string): Promise<{ answer: Record<string, unknown>; reads: Record<string, number> }> {
  const all: { answer: Record<string, unknown>; reads: Record<string, number> }[] = [];
  const connection = system.app.models.patients.db;
  try {
    for (let count = 0; count < tries; count += 1) {
      const reads: Record<string, number> = {};
      connection.set(
        'debug',
        (collection: string, method: string) =>
          void (/^(find|aggregate|count)/.test(method) && (reads[collection] = (reads[collection] ?? 0) + 1)),
      );
      const { data } = await system.post(query, {}, token);
      all.push({ answer: data!, reads });
    }
  } finally {
    connection.set('debug', false);
  }
  const total = ({ reads }: (typeof all)[number]): number => Object.values(reads).reduce((sum, each) => sum + each, 0);
  return all.reduce((fewest, each) => (total(each) < total(fewest) ? each : fewest));
}

async function readsOfPatients(query: string): Promise<{ answer: Record<string, unknown>; reads: number }> {
  const { answer, reads } = await readsOf(query);
  return { answer, reads: reads.patients ?? 0 };
}

// Shows: owasp/server-batching
test('the patients of a page of predictions are read in one query, however long the page is', async () => {
  const patientIds: string[] = [];
  for (let i = 0; i < 20; i += 1) patientIds.push((await patient(client)).id);
  const batch = await submit(client, { patientIds });
  await ended(client, batch.id);

  const { answer: without, reads: own } = await readsOfPatients('{ predictions { edges { node { id } } } }');
  expect(without).toMatchObject({ predictions: { edges: { length: 20 } } });
  for (const first of [1, 20]) {
    const { answer, reads } = await readsOfPatients(
      `{ predictions(first: ${first}) { edges { node { patient { id mrn } } } } }`,
    );
    expect(answer).toMatchObject({ predictions: { edges: { length: first } } });
    expect(reads - own).toBe(1);
  }
});

test('the patients of a page of jobs and their care teams take two reads, however long the page is', async () => {
  for (let i = 0; i < 3; i += 1) {
    const created = await patient(client, { careTeam: ['the-clinician'] });
    const job = await submit(client, { patientId: created.id });
    // Waits for the end of the job, because the worker reads patients too.
    await ended(client, job.id);
  }
  for (const first of [1, 3]) {
    const { answer, reads } = await readsOfPatients(
      `{ scoringJobs(first: ${first}, filter: { kind: SINGLE }) { totalCount edges { node { id } } } }`,
    );
    expect(answer).toMatchObject({ scoringJobs: { totalCount: 3, edges: { length: first } } });
    expect(reads).toBe(2);
  }
});

describe('the predictions of each patient or job of a page are counted in one query per collection', () => {
  interface Counted {
    readonly edges: readonly {
      readonly node: { readonly id: string; readonly predictions: { readonly totalCount: number } };
    }[];
  }
  const countsOf = ({ edges }: Counted): Record<string, number> =>
    Object.fromEntries(edges.map(({ node }) => [node.id, node.predictions.totalCount]));
  const expected: { patients: Record<string, number>; jobs: Record<string, number> } = { patients: {}, jobs: {} };

  beforeAll(async () => {
    // Two batches, which share a patient, one single job twice for another, and a patient without any prediction.
    const created: string[] = [];
    for (let i = 0; i < 4; i += 1) created.push((await patient(client)).id);
    const [a, b, c, none] = created as [string, string, string, string];
    for (const patientIds of [
      [a, b],
      [b, c],
    ]) {
      const batch = await submit(client, { patientIds });
      expected.jobs[batch.id] = 2;
    }
    for (let i = 0; i < 2; i += 1) {
      const job = await submit(client, { patientId: c });
      expected.jobs[job.id] = 1;
    }
    await Promise.all(Object.keys(expected.jobs).map((id) => ended(client, id)));
    Object.assign(expected.patients, { [a]: 1, [b]: 2, [c]: 3, [none]: 0 });
  });

  test.each([
    ['patients', 'patients(orderBy: { field: CREATED_AT, direction: DESC }', 'patients'],
    ['jobs', 'scoringJobs(', 'jobs'],
  ] as const)('%s', async (_name, list, kind) => {
    for (const first of [1, 4]) {
      const { answer, reads } = await readsOf(
        `{ list: ${list} first: ${first}) { edges { node { id predictions { totalCount } } } } }`,
      );
      const counts = countsOf(answer.list as Counted);
      expect(Object.keys(counts)).toHaveLength(first);
      expect(counts).toEqual(Object.fromEntries(Object.keys(counts).map((id) => [id, expected[kind][id]])));
      expect(reads).toMatchObject({ predictions: 1, prediction_blocks: 1 });
    }
  });

  test('the counts equal those of a query that reads the predictions too', async () => {
    const { answer } = await readsOf(/* GraphQL */ `
      {
        patients(orderBy: { field: CREATED_AT, direction: DESC }, first: 4) {
          edges {
            node {
              id
              predictions {
                totalCount
                pageInfo {
                  hasNextPage
                }
                edges {
                  node {
                    id
                  }
                }
              }
            }
          }
        }
      }
    `);
    const { edges } = answer.patients as {
      edges: { node: { id: string; predictions: { totalCount: number; edges: object[] } } }[];
    };
    for (const { node } of edges)
      expect([node.predictions.totalCount, node.predictions.edges.length]).toEqual([
        expected.patients[node.id],
        expected.patients[node.id],
      ]);
  });

  test('the predictions of patients that the caller may not see are left out', async () => {
    const [visible, closed] = [(await patient(client)).id, (await patient(client)).id];
    const batch = await submit(client, { patientIds: [visible, closed] });
    await ended(client, batch.id);
    await system.app.models.patients.updateOne({ _id: closed }, { $set: { careTeam: ['another-clinician'] } });
    const count = async (query: string): Promise<unknown> =>
      (await system.post<{ of: { predictions: unknown } | null }>(query, {}, token)).data!.of?.predictions;
    expect(await count(`{ of: scoringJob(id: "${batch.id}") { predictions { totalCount } } }`)).toEqual({
      totalCount: 1,
    });
    expect(await count(`{ of: patient(id: "${visible}") { predictions { totalCount } } }`)).toEqual({ totalCount: 1 });
    // As if the patient got its care team between the read of the patient and the count.
    const viewer = {
      ...(await system.app.identity.authenticator.authenticate(`Bearer ${token}`))!,
      origin: { requestId: 'test', address: '127.0.0.1' },
    };
    expect(await system.app.predictions.countOfPatients(viewer, [visible, closed, 'none'])).toEqual([1, 0, 0]);
  });
});
