import { Types } from 'mongoose';
import { expect, test, vi } from 'vitest';
import { Role, type Models } from '../../models/index.js';
import { createSharedReads } from '../../src/scope/shared-reads.js';
import type { PatientRecords } from '../../src/scope/patient-records.js';
import { protectedProcess, randomMasterKeys, somePatient, testDatabase } from '../support/protection.js';

const [master] = randomMasterKeys('k1') as [string];

async function start() {
  const models = await testDatabase();
  const { scope, scopeOf } = await protectedProcess(models, master);
  async function organizationWith(count: number) {
    const organization = new Types.ObjectId();
    const { patients } = scope(organization);
    for (let index = 0; index < count; index += 1) await patients.insert(somePatient());
    const as = (username: string, role = Role.CLINICIAN): PatientRecords =>
      scopeOf({ organizationId: organization.toHexString(), role, username }).patients;
    return { organization, patients, as };
  }
  return { models, organizationWith };
}

/** The pages that some callers ask for at the same time, and the number of queries for them. */
async function pagesOf(models: Models, ...asked: (() => ReturnType<PatientRecords['page']>)[]) {
  const find = vi.spyOn(models.patients.collection, 'find');
  try {
    const pages = await Promise.all(asked.map((ask) => ask()));
    return {
      names: pages.map(({ edges }) => edges.map(({ node }) => node.mrn)),
      queries: find.mock.calls.length,
    };
  } finally {
    find.mockRestore();
  }
}

test('callers behind the same fence share the query of a page, and each gets it', async () => {
  const { models, organizationWith } = await start();
  const { as } = await organizationWith(3);
  const ask = (username: string, role?: Role) => () => as(username, role).page({ first: 2 }, {});
  const { names, queries } = await pagesOf(
    models,
    ask('a', Role.ANALYST),
    ask('b', Role.ANALYST),
    ask('c', Role.ANALYST),
    ask('d'),
    ask('d'),
  );
  expect(queries).toBe(2);
  expect(names[0]).toHaveLength(2);
  expect(new Set(names.map((page) => page.join())).size).toBe(1);
});

test('organizations and clinicians never share a page', async () => {
  const { models, organizationWith } = await start();
  const [own, other] = [await organizationWith(2), await organizationWith(2)];
  const [closed] = (await own.patients.page({ first: 1 }, {})).edges;
  await models.patients.updateOne({ _id: closed!.node._id }, { $set: { careTeam: ['inside'] } });
  const ask = (patients: PatientRecords) => () => patients.page({ first: 5 }, {});
  const { names, queries } = await pagesOf(
    models,
    ask(own.as('inside')),
    ask(own.as('outside')),
    ask(other.as('inside')),
  );
  expect(queries).toBe(3);
  expect(names[0]).toContain(closed!.node.mrn);
  expect(names[1]).toHaveLength(1);
  expect(names[1]).not.toContain(closed!.node.mrn);
  expect(names[2]!.some((mrn) => names[0]!.includes(mrn))).toBe(false);
});

test('pages of another filter, order, size or place are queries of their own', async () => {
  const { models, organizationWith } = await start();
  const { patients } = await organizationWith(3);
  const [first] = (await patients.page({ first: 1 }, {})).edges;
  const since = new Date(0);
  const { queries } = await pagesOf(
    models,
    () => patients.page({ first: 2 }, {}),
    () => patients.page({ first: 1 }, {}),
    () => patients.page({ first: 2 }, {}, { field: 'updatedAt', direction: -1 }),
    () => patients.page({ first: 2 }, {}, { field: 'createdAt', direction: 1 }),
    () => patients.page({ first: 2, after: first!.cursor }, {}),
    () => patients.page({ first: 2 }, { createdAt: { $gt: since } }),
    () => patients.page({ first: 2 }, { createdAt: { $gt: new Date(1) } }),
    () => patients.page({ first: 2 }, { createdAt: { $gt: since.toISOString() as never } }),
  );
  expect(queries).toBe(8);
});

test('a caller never joins a query that was sent before it asked', async () => {
  const { organizationWith } = await start();
  const { patients } = await organizationWith(1);
  for (let round = 0; round < 5; round += 1) {
    const under = patients.page({ first: 50 }, {});
    const { mrn } = await patients.insert(somePatient());
    const [, after] = await Promise.all([under, patients.page({ first: 50 }, {})]);
    expect(after.edges[0]!.node.mrn).toBe(mrn);
  }
});

test('one read is under way per key, and those who wait for it share the next one', async () => {
  const shared = createSharedReads();
  const sent: PromiseWithResolvers<string>[] = [];
  const read = (): Promise<string> => {
    const answer = withResolvers<string>();
    sent.push(answer);
    return answer.promise;
  };
  const first = [shared('a', read), shared('a', read)];
  const other = shared('b', read);
  await expect.poll(() => sent.length).toBe(2);
  const later = [shared('a', read), shared('a', read)];
  sent[0]!.reject(new Error('away'));
  sent[1]!.resolve('of b');
  await expect(Promise.allSettled(first)).resolves.toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
  expect(await other).toBe('of b');
  // The failure of one read is not that of those who come after it.
  await expect.poll(() => sent.length).toBe(3);
  sent[2]!.resolve('second');
  expect(await Promise.all(later)).toEqual(['second', 'second']);
});

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

function withResolvers<T>(): PromiseWithResolvers<T> {
  let [resolve, reject] = [undefined, undefined] as unknown as [(value: T) => void, (error: unknown) => void];
  const promise = new Promise<T>((...both) => ([resolve, reject] = both));
  return { promise, resolve, reject };
}
