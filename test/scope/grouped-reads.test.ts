import { Types } from 'mongoose';
import { expect, test, vi } from 'vitest';
import { Role, type Models } from '../../models/index.js';
import { protectedProcess, randomMasterKeys, somePatient, testDatabase } from '../support/protection.js';

const [master] = randomMasterKeys('k1') as [string];

async function startProcess() {
  const models = await testDatabase();
  const { scope, scopeOf } = await protectedProcess(models, master);
  /** Puts some patients into an organization of their own. */
  async function organizationWith(count: number) {
    const organization = new Types.ObjectId();
    const given = Array.from({ length: count }, () => somePatient());
    const { patients } = scope(organization);
    for (const patient of given) await patients.insert(patient);
    return { organization, patients, ids: given.map(({ _id }) => _id) };
  }
  return { models, scope, scopeOf, organizationWith };
}

/** Counts the queries for patients that some work needs. */
async function queriesOf(models: Models, work: () => Promise<unknown>): Promise<number> {
  const find = vi.spyOn(models.patients.collection, 'find');
  const findOne = vi.spyOn(models.patients.collection, 'findOne');
  try {
    await work();
    return find.mock.calls.length + findOne.mock.calls.length;
  } finally {
    find.mockRestore();
    findOne.mockRestore();
  }
}

test('callers who ask at the same time share one query, and each gets the own patient', async () => {
  const { models, organizationWith } = await startProcess();
  const { patients, ids } = await organizationWith(12);
  const queries = await queriesOf(models, async () => {
    const found = await Promise.all(ids.map((_id) => patients.findOne({ _id })));
    expect(found.map((patient) => patient?._id)).toEqual(ids);
  });
  expect(queries).toBe(1);
});

test('one caller gets no patient of another organization, however much they ask at once', async () => {
  const { organizationWith } = await startProcess();
  const [own, other] = [await organizationWith(3), await organizationWith(3)];
  const mixed = [...own.ids, ...other.ids];
  const [ofOwn, ofOther] = await Promise.all(
    [own, other].map(({ patients }) => Promise.all(mixed.map((_id) => patients.findOne({ _id })))),
  );
  expect(ofOwn!.map((patient) => patient?._id)).toEqual([...own.ids, undefined, undefined, undefined]);
  expect(ofOther!.map((patient) => patient?._id)).toEqual([undefined, undefined, undefined, ...other.ids]);
});

test('a patient is hidden from one caller and shown to the other in the same query', async () => {
  const { models, scopeOf, organizationWith } = await startProcess();
  const { organization, ids } = await organizationWith(1);
  const [_id] = ids as [Types.ObjectId];
  await models.patients.updateOne({ _id }, { $set: { careTeam: ['inside'] } });
  const as = (username: string) =>
    scopeOf({ organizationId: organization.toHexString(), role: Role.CLINICIAN, username }).patients.findOne({ _id });
  const queries = await queriesOf(models, async () => {
    const [shown, hidden] = await Promise.all([as('inside'), as('outside')]);
    expect(shown?._id).toEqual(_id);
    expect(hidden).toBeNull();
  });
  expect(queries).toBe(1);
});

test('a read sees what was stored before it was asked for', async () => {
  const { scope, organizationWith } = await startProcess();
  const { organization, patients, ids } = await organizationWith(8);
  const reads = ids.map((_id) => patients.findOne({ _id }));
  const later = somePatient();
  await scope(organization).patients.insert(later);
  expect((await patients.findOne({ _id: later._id }))?._id).toEqual(later._id);
  expect(await Promise.all(reads)).not.toContain(null);
});

test('a query that fails fails for its callers alone', async () => {
  const { models, organizationWith } = await startProcess();
  const [own, other] = [await organizationWith(1), await organizationWith(1)];
  const find = models.patients.collection.find.bind(models.patients.collection);
  const failing = vi.spyOn(models.patients.collection, 'find').mockImplementation(((
    filter: { organization: Types.ObjectId },
    options: object,
  ) => {
    if (filter.organization.equals(own.organization)) throw new Error('away');
    return find(filter as never, options);
  }) as never);
  const results = await Promise.allSettled([own, other].map(({ patients, ids }) => patients.findOne({ _id: ids[0]! })));
  failing.mockRestore();
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
});
