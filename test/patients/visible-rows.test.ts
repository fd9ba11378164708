import { Types } from 'mongoose';
import { beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../models/index.js';
import { mostNamedClosed } from '../../src/patients/visible-rows.js';
import { ended, pages, patient, submit } from '../support/scenario.js';
import { startSystem, type Answer } from '../support/system.js';

const system = await startSystem({ environment: { BATCH_CHUNK_SIZE: '3' } });
const { accessTokens, models } = system.app;
const client = await system.client('CLINICIAN');
const organizationId = await system.organizationId();
const bob = await accessTokens.sign({ username: 'bob', role: Role.CLINICIAN, organizationId }, 3600);

interface ListedJobs {
  readonly totalCount: number;
  readonly edges: readonly {
    readonly node: { readonly id: string; readonly predictions: { readonly totalCount: number } };
  }[];
  readonly pageInfo: Listed['pageInfo'];
}
interface Listed {
  readonly totalCount: number;
  readonly edges: readonly {
    readonly cursor: string;
    readonly node: { readonly id: string; readonly patient: { readonly id: string } };
  }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** Reads every page of a list. @returns the rows, and the count that each page gives */
async function readAll(
  filter: string,
  first: number,
): Promise<{ ids: string[]; patients: string[]; counts: number[] }> {
  const read = { ids: [] as string[], patients: [] as string[], counts: [] as number[] };
  const query = /* GraphQL */ `
    query ($after: String) {
      predictions(first: ${first}, after: $after, filter: {${filter}}) {
        totalCount
        pageInfo {
          hasNextPage
          endCursor
        }
        edges {
          cursor
          node {
            id
            patient {
              id
            }
          }
        }
      }
    }
  `;
  for await (const { totalCount, edges } of pages(async (after) => {
    const { data, errors }: Answer<{ predictions: Listed }> = await system.post(query, { after }, bob);
    expect(errors).toBeUndefined();
    return data!.predictions;
  })) {
    read.counts.push(totalCount);
    read.ids.push(...edges.map(({ node }) => node.id));
    read.patients.push(...edges.map(({ node }) => node.patient.id));
  }
  return read;
}

/** Runs `run`. @returns its result, and the length of the longest list in its queries on predictions and blocks */
async function longestList<T>(run: () => Promise<T>): Promise<{ result: T; longest: number }> {
  let longest = 0;
  const connection = models.patients.db;
  connection.set('debug', (collection: string, _method: string, ...given: unknown[]) => {
    if (!collection.startsWith('prediction')) return;
    JSON.stringify(given, (_key, value: unknown) => {
      if (Array.isArray(value)) longest = Math.max(longest, value.length);
      return value;
    });
  });
  try {
    return { result: await run(), longest };
  } finally {
    connection.set('debug', false);
  }
}

const visible: string[] = [];
const closed: string[] = [];
const jobs: Record<string, number> = {};

beforeAll(async () => {
  // Every third patient is visible, the others are closed. They are scored in three blocks and by single jobs.
  for (let i = 0; i < 9; i += 1) {
    const created = await patient(client);
    (i % 3 === 0 ? visible : closed).push(created.id);
  }
  const order = visible.flatMap((id, index) => [id, closed[2 * index]!, closed[2 * index + 1]!]);
  const batch = await submit(client, { patientIds: order });
  jobs[batch.id] = visible.length;
  for (const id of order.slice(0, 3)) {
    const job = await submit(client, { patientId: id });
    jobs[job.id] = visible.includes(id) ? 1 : 0;
  }
  for (const id of Object.keys(jobs)) await ended(client, id);
  await models.patients.updateMany({ _id: { $in: closed } }, { $set: { careTeam: ['ada'] } });
});

describe.each([
  ['few patients are closed', 0],
  ['more patients are closed than a query names', mostNamedClosed + 1],
])('if %s', (_name, others) => {
  beforeAll(async () => {
    const patients = Array.from({ length: others }, () => ({
      _id: new Types.ObjectId(),
      organization: new Types.ObjectId(organizationId),
      careTeam: ['ada'],
    }));
    if (others > 0) await models.patients.collection.insertMany(patients as never[]);
  });

  test.each([1, 2, 500])('a list shows each visible prediction once, newest first, in pages of %d', async (first) => {
    const { result, longest } = await longestList(() => readAll('', first));
    expect(result.counts).toEqual(result.counts.map(() => 4));
    expect([...result.patients].sort()).toEqual([visible[0], ...visible].sort());
    expect(result.ids).toEqual([...result.ids].sort().reverse());
    // Queries name the closed patients only while these are few.
    if (others === 0) expect(longest).toBe(closed.length);
    else expect(longest).toBeLessThan(closed.length);
  });

  test('a filter applies as well', async () => {
    expect((await readAll(`patientId: "${closed[0]}"`, 5)).counts).toEqual([0]);
    expect((await readAll(`patientId: "${visible[0]}"`, 1)).counts).toEqual([2, 2]);
    expect((await readAll('minimumProbability: 1', 5)).ids).toEqual([]);
    expect((await readAll('minimumProbability: 1', 5)).counts).toEqual([0]);
    expect((await readAll('patientId: "none"', 5)).counts).toEqual([0]);
    const [batch] = Object.keys(jobs) as [string];
    expect(await readAll(`jobId: "${batch}"`, 5)).toMatchObject({ counts: [3], patients: { length: 3 } });
  });

  test('a job about a closed patient is in no list, and the other jobs count only visible predictions', async () => {
    const shown = Object.fromEntries(Object.entries(jobs).filter(([, count]) => count > 0));
    const seen: Record<string, number> = {};
    const query = /* GraphQL */ `
      query ($after: String) {
        scoringJobs(first: 1, after: $after) {
          totalCount
          pageInfo {
            hasNextPage
            endCursor
          }
          edges {
            node {
              id
              predictions {
                totalCount
              }
            }
          }
        }
      }
    `;
    for await (const { totalCount, edges } of pages(
      async (after) => (await system.post<{ scoringJobs: ListedJobs }>(query, { after }, bob)).data!.scoringJobs,
    )) {
      expect(totalCount).toBe(Object.keys(shown).length);
      for (const { node } of edges) seen[node.id] = node.predictions.totalCount;
    }
    expect(seen).toEqual(shown);
  });

  test('a caller outside care teams sees all rows', async () => {
    const { data } = await system.post(
      '{ predictions { totalCount edges { cursor } } }',
      undefined,
      await system.token('ANALYST'),
    );
    expect(data).toMatchObject({ predictions: { totalCount: 12, edges: { length: 12 } } });
  });
});
