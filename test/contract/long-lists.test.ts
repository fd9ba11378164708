import { Types } from 'mongoose';
import { beforeAll, expect, test } from 'vitest';
import { patient } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const rows = 200_000;
const system = await startSystem({ worker: false });
const token = await system.token('CLINICIAN');

beforeAll(async () => {
  await patient(await system.client('CLINICIAN'), { sex: 'MALE', familyName: 'Frequent' });
  const { collection } = system.app.models.patients;
  const document = (await collection.findOne({}))!;
  const start = Date.UTC(2020, 0, 1);
  for (let first = 0; first < rows; first += 10_000) {
    await collection.insertMany(
      Array.from({ length: 10_000 }, (_unused, index) => ({
        ...document,
        _id: new Types.ObjectId(),
        mrnIndex: `copy-${first + index}`,
        features: [],
        createdAt: new Date(start + first + index),
        updatedAt: new Date(start - first - index),
        sex: index % 2 ? 'MALE' : 'FEMALE',
      })),
      { writeConcern: { w: 1 } },
    );
  }
}, 120_000);

test.each([
  '(first: 3)',
  '(first: 3, orderBy: { field: UPDATED_AT })',
  '(first: 3, orderBy: { field: UPDATED_AT, direction: ASC })',
  '(first: 3, orderBy: { field: CREATED_AT, direction: ASC })',
  '(first: 3, filter: { sex: FEMALE })',
  '(first: 3, filter: { sex: FEMALE }, orderBy: { field: UPDATED_AT })',
  '(first: 3, filter: { familyName: "Frequent" }, orderBy: { field: UPDATED_AT })',
  '(first: 3, filter: { familyName: "Frequent", sex: MALE, updatedAfter: "2019-12-31T23:59:00Z" })',
])('a list of 200,000 patients is read page by page with %s', async (conditions) => {
  const page = async (list: string) => {
    const answer = await system.post<{
      patients: { edges: { node: { id: string } }[]; pageInfo: { endCursor: string } };
    }>(`{ patients${list} { edges { node { id } } pageInfo { endCursor } } }`, {}, token);
    expect(answer.errors).toBeUndefined();
    return {
      ids: answer.data!.patients.edges.map(({ node }) => node.id),
      end: answer.data!.patients.pageInfo.endCursor,
    };
  };
  const first = await page(conditions);
  const second = await page(conditions.replace('(', `(after: "${first.end}", `));
  const both = await page(conditions.replace('first: 3', 'first: 6'));
  expect([...first.ids, ...second.ids]).toEqual(both.ids);
  expect(new Set(both.ids).size).toBe(6);
});
