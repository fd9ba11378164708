import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  PatientsDocument,
  UpdatePatientDocument,
  type PatientsQueryVariables,
} from '../../src/client/generated/graphql.js';
import { startWorkers } from '../../workers/index.js';
import { goldenFeatures } from '../support/heart-disease.js';
import { ended, pages, patient, scored, submit } from '../support/scenario.js';
import { codesOf, startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const client = await system.client('CLINICIAN');
const token = await system.token('CLINICIAN');

const create = async (mrn: string, overrides?: object): Promise<string> =>
  (await patient(client, { mrn, features: [], ...overrides })).id;
const page = async (variables: PatientsQueryVariables) => (await client.request(PatientsDocument, variables)).patients;
const mrns = async (variables: PatientsQueryVariables): Promise<string[]> =>
  (await page(variables)).edges.map(({ node }) => node.mrn!);

const firstTen = Array.from({ length: 10 }, (_, number) => `P${number}`);

beforeAll(async () => {
  for (const [number, mrn] of firstTen.entries())
    await create(mrn, { familyName: number % 2 ? 'Odd (Jr.)' : 'Even', sex: number < 3 ? 'FEMALE' : 'MALE' });
});

describe('a list', () => {
  test('comes newest first, with its count and its first and last cursor', async () => {
    const all = await page({});
    expect(all.edges.map(({ node }) => node.mrn!)).toEqual([...firstTen].reverse());
    expect(all.totalCount).toBe(10);
    expect(all.pageInfo).toEqual({
      hasNextPage: false,
      hasPreviousPage: false,
      startCursor: all.edges[0]!.cursor,
      endCursor: all.edges[9]!.cursor,
    });
  });

  test('without rows has no cursors', async () => {
    expect(await page({ filter: { mrn: 'unknown' } })).toEqual({
      totalCount: 0,
      edges: [],
      pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
    });
  });

  // Shows: owasp/pagination
  test.each([undefined, null])('has 20 rows per page when first is %s', async (first) => {
    const answer = await system.post<{ patients: { edges: unknown[] } }>(
      'query ($first: Int) { patients(first: $first) { edges { cursor } } }',
      { first },
      token,
    );
    expect(answer.errors).toBeUndefined();
    expect(answer.data!.patients.edges).toHaveLength(10);
  });

  // Shows: owasp/pagination
  test.each([0, -1, 501, 2_147_483_647])('of %i rows is refused', async (first) => {
    for (const list of ['patients', 'predictions', 'scoringJobs']) {
      const { errors } = await system.post(
        `query ($first: Int) { ${list}(first: $first) { totalCount } }`,
        { first },
        token,
      );
      expect(errors![0]).toMatchObject({
        message: 'first: must be from 1 to 500',
        extensions: { code: 'BAD_USER_INPUT', fields: [{ path: 'first' }] },
      });
    }
    expect(
      (
        await system.post(
          /* GraphQL */ `
            {
              patients(first: 500) {
                totalCount
              }
              predictions(first: 500) {
                totalCount
              }
              scoringJobs(first: 500) {
                totalCount
              }
            }
          `,
          undefined,
          token,
        )
      ).errors,
    ).toBeUndefined();
  });

  test.each([
    '',
    'garbage',
    'W10',
    Buffer.from('["_id","",5]').toString('base64url'),
    Buffer.from('["createdAt","x","aaaaaaaaaaaaaaaaaaaaaaaa"]').toString('base64url'),
    'x'.repeat(10_000),
  ])('after the cursor %j is refused', async (after) => {
    const answer = await system.post(
      'query ($after: String) { patients(after: $after) { totalCount } }',
      { after },
      token,
    );
    expect(answer.errors![0]!.extensions).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ path: 'after' }] });
  });

  test.each([
    'patients(after: $after)',
    'patients(after: $after, orderBy: { field: CREATED_AT, direction: ASC })',
    'patients(after: $after, orderBy: { field: UPDATED_AT, direction: ASC })',
    'scoringJobs(after: $after)',
    'predictions(after: $after)',
  ])('refuses the cursor of another list or order: %s', async (list) => {
    const { pageInfo } = await page({ first: 2, orderBy: { field: 'UPDATED_AT' } });
    expect(
      codesOf(
        await system.post(`query ($after: String) { ${list} { totalCount } }`, { after: pageInfo.endCursor }, token),
      ),
    ).toEqual(['BAD_USER_INPUT']);
  });

  test('refuses the cursor of another list that is in the same order', async () => {
    const { pageInfo } = await page({ first: 2 });
    const [, , , , id] = JSON.parse(Buffer.from(pageInfo.endCursor!, 'base64url').toString()) as string[];
    const answerFrom = async (list: string, cursorOf: string) => {
      const after = Buffer.from(JSON.stringify([cursorOf, '_id', -1, '', id])).toString('base64url');
      const query = `query ($after: String) { ${list}(after: $after) { edges { cursor } } }`;
      return codesOf(await system.post(query, { after }, token));
    };
    expect(await answerFrom('scoringJobs', 'patients')).toEqual(['BAD_USER_INPUT']);
    expect(await answerFrom('predictions', 'patients')).toEqual(['BAD_USER_INPUT']);
    // The name of the list is all that is wrong with these cursors.
    expect(await answerFrom('scoringJobs', 'scoring_jobs')).toEqual([]);
  });
});

describe('a filter', () => {
  test('accepts MRN, sex and the whole family name in any case, and applies all its conditions', async () => {
    expect(await mrns({ filter: { mrn: 'P3' } })).toEqual(['P3']);
    expect(await mrns({ filter: { sex: 'FEMALE' } })).toEqual(['P2', 'P1', 'P0']);
    expect(await mrns({ filter: { familyName: 'even', sex: 'FEMALE' } })).toEqual(['P2', 'P0']);
    expect(await mrns({ filter: { familyName: 'ODD (jr.)' } })).toHaveLength(5);
    expect(await mrns({ filter: { familyName: 'Ev' } })).toEqual([]);
    expect(await mrns({ filter: { familyName: '.*' } })).toEqual([]);
    expect((await page({ first: 1, filter: { sex: 'MALE' } })).totalCount).toBe(7);
  });

  test('accepts times', async () => {
    const all = await page({ orderBy: { field: 'CREATED_AT', direction: 'ASC' } });
    const fifth = all.edges[4]!.node.createdAt;
    const later = all.edges
      .filter(({ node }) => new Date(node.createdAt) > new Date(fifth))
      .map(({ node }) => node.mrn!);
    expect(await mrns({ filter: { createdAfter: fifth }, orderBy: { field: 'CREATED_AT', direction: 'ASC' } })).toEqual(
      later,
    );
    expect(await mrns({ filter: { updatedAfter: '2999-01-01T00:00:00Z' } })).toEqual([]);
  });
});

describe('an order', () => {
  test('goes up and down, newest first where no direction is given', async () => {
    expect(await mrns({ orderBy: { field: 'CREATED_AT', direction: 'ASC' } })).toEqual(firstTen);
    expect(await mrns({ orderBy: { field: 'CREATED_AT' } })).toEqual([...firstTen].reverse());
    expect(await mrns({ orderBy: { field: 'CREATED_AT', direction: null } })).toEqual([...firstTen].reverse());
  });

  test('by the last change moves a patient when it changes', async () => {
    const { edges } = await page({ filter: { mrn: 'P0' } });
    await client.request(UpdatePatientDocument, {
      input: { id: edges[0]!.node.id, expectedVersion: 1, givenName: 'Ada' },
    });
    expect((await mrns({ orderBy: { field: 'UPDATED_AT', direction: 'DESC' } }))[0]).toBe('P0');
  });
});

// These tests come last, because they add rows.
describe('pages', () => {
  test.each([
    ['newest first', undefined],
    ['oldest first', { field: 'CREATED_AT', direction: 'ASC' }],
    ['by time of creation, newest first', { field: 'CREATED_AT', direction: 'DESC' }],
  ] as const)('%s neither repeat nor skip a row while others are added', async (name, orderBy) => {
    const known = new Set(await mrns({ first: 500, orderBy }));
    const seen: string[] = [];
    let number = 0;
    for await (const { edges, pageInfo } of pages((after) => page({ first: 3, after, orderBy }))) {
      expect(pageInfo.hasPreviousPage).toBe(number > 0);
      seen.push(...edges.map(({ node }) => node.mrn!));
      if (number < 3) await create(`${name} ${number}`);
      number += 1;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect([...known].every((mrn) => seen.includes(mrn))).toBe(true);
  });
});

describe('pages from the end', () => {
  interface Rows {
    readonly edges: readonly { readonly cursor: string; readonly node: { readonly id: string } }[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly hasPreviousPage: boolean };
  }
  const read = async (list: string, page: object, selection = ''): Promise<Rows> => {
    const { data, errors } = await system.post<Record<string, Rows>>(
      `query ($first: Int, $after: String, $last: Int, $before: String) {
        ${list}(first: $first, after: $after, last: $last, before: $before ${selection}) {
          edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage }
        }
      }`,
      page,
      token,
    );
    expect(errors).toBeUndefined();
    return data![list]!;
  };
  /** The ids of a whole list, page by page from its end, in the order of the list. */
  async function backwards(list: string, selection?: string): Promise<string[]> {
    let ids: string[] = [];
    for (let before: string | undefined; ;) {
      const { edges, pageInfo } = await read(list, { last: 3, before }, selection);
      expect(pageInfo.hasNextPage).toBe(before !== undefined);
      ids = [...edges.map(({ node }) => node.id), ...ids];
      if (!pageInfo.hasPreviousPage) return ids;
      before = edges[0]!.cursor;
    }
  }
  const forwards = async (list: string, selection?: string): Promise<string[]> =>
    (await read(list, { first: 500 }, selection)).edges.map(({ node }) => node.id);

  test.each(['', ...['ASC', 'DESC'].map((way) => `, orderBy: { field: UPDATED_AT, direction: ${way} }`)])(
    'of patients have the same rows in the same order%s',
    async (selection) => {
      const ids = await forwards('patients', selection);
      expect(ids.length).toBeGreaterThan(6);
      expect(await backwards('patients', selection)).toEqual(ids);
    },
  );

  test('of predictions go through single ones and blocks of batches', async () => {
    const workers = await startWorkers(system.app);
    onTestFinished(() => workers.close());
    for (let number = 0; number < 3; number += 1) await create(`B${number}`, { features: goldenFeatures(0) });
    await ended(client, (await submit(client, { all: true })).id);
    await scored(client);
    await ended(client, (await submit(client, { all: true })).id);
    const ids = await forwards('predictions');
    expect(ids.length).toBeGreaterThan(6);
    expect(await backwards('predictions')).toEqual(ids);
    expect(await backwards('scoringJobs')).toEqual(await forwards('scoringJobs'));
  });

  test.each([
    [{ last: 0 }, 'last'],
    [{ last: 501 }, 'last'],
    [{ last: 3, after: 'first' }, 'after'],
    [{ before: 'first' }, 'before'],
    [{ last: 3, before: 'none' }, 'before'],
  ])('%j is refused', async (page, path) => {
    const cursor = (await read('patients', { first: 1 })).edges[0]!.cursor;
    const variables = Object.fromEntries(
      Object.entries(page).map(([name, value]) => [name, value === 'first' ? cursor : value]),
    );
    const { errors } = await system.post(
      'query ($last: Int, $after: String, $before: String) { patients(last: $last, after: $after, before: $before) { totalCount } }',
      variables,
      token,
    );
    expect(errors![0]!.extensions!.fields!.map((field) => field.path)).toEqual([path]);
  });
});
