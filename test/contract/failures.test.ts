import { Types } from 'mongoose';
import { describe, expect, test } from 'vitest';
import { packIds } from '../../src/storage/binary.js';
import { modelId } from '../support/heart-disease.js';
import { ended, pages, patient, submit } from '../support/scenario.js';
import { codesOf, startSystem } from '../support/system.js';

const system = await startSystem();
const { models } = system.app;
const client = await system.client('CLINICIAN');
const token = await system.token('CLINICIAN');

interface FailurePage {
  readonly totalCount: number;
  readonly edges: readonly { readonly cursor: string; readonly node: { patientId: string; code: string } }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** A batch of one patient, whose stored chunks are replaced: every third chunk has no failure. */
async function batchWithFailures(chunkCount: number, chunkSize: number): Promise<{ id: string; failed: string[] }> {
  const { id: patientId } = await patient(client);
  const { id } = await submit(client, { patientIds: [patientId], modelId });
  await ended(client, id);
  const job = new Types.ObjectId(id);
  await models.scoringChunks.deleteMany({ job });
  const failed: string[] = [];
  const chunks = Array.from({ length: chunkCount }, (_unused, number) => {
    const ids = Array.from({ length: chunkSize }, () => new Types.ObjectId());
    const failures =
      number % 3 === 1
        ? []
        : ids
            .filter((_id, place) => place % 2 === 0)
            .map((id) => ({ patient: id, code: 'BAD_USER_INPUT', message: 'chest_pain_type: is missing' }));
    failed.push(...failures.map(({ patient: of }) => of.toHexString()));
    return {
      job,
      number,
      patients: packIds(ids),
      size: chunkSize,
      done: true,
      failed: failures.length,
      attempts: 1,
      // Workers append failures in another order than that of the patients.
      failures: failures.reverse(),
    };
  });
  await models.scoringChunks.collection.insertMany(chunks as never[]);
  return { id, failed };
}

const read = async (id: string, first: number, after: string | null): Promise<FailurePage> => {
  const { data, errors } = await system.post<{ scoringJob: { failureConnection: FailurePage } }>(
    `query ($id: ID!, $first: Int, $after: String) { scoringJob(id: $id) { failureConnection(first: $first, after: $after) {
       totalCount edges { cursor node { patientId code } } pageInfo { hasNextPage endCursor }
     } } }`,
    { id, first, after },
    token,
  );
  expect(errors).toBeUndefined();
  return data!.scoringJob.failureConnection;
};

describe('the failures of a batch', async () => {
  const { id, failed } = await batchWithFailures(90, 20);

  test('are all listed, in the order of the batch, each once', async () => {
    expect(failed).toHaveLength(600);
    for (const first of [500, 37]) {
      const found: string[] = [];
      for await (const { edges, totalCount } of pages((after) => read(id, first, after))) {
        expect(totalCount).toBe(600);
        found.push(...edges.map(({ node }) => node.patientId));
      }
      expect(found).toEqual(failed);
    }
  });

  test('are still listed once each when a patient is deleted between two pages', async () => {
    const first = await read(id, 10, null);
    const last = new Types.ObjectId(first.edges.at(-1)!.node.patientId);
    await models.scoringChunks.updateMany({ 'failures.patient': last }, { $pull: { failures: { patient: last } } });
    const next = await read(id, 10, first.pageInfo.endCursor);
    expect(next.edges.map(({ node }) => node.patientId)).toEqual(failed.slice(10, 20));
    expect(next.totalCount).toBe(599);
  });

  test('are read through an index that holds the chunks with failures only', async () => {
    const plan = await models.scoringChunks
      .find({ job: new Types.ObjectId(id), done: true, failed: { $gt: 0 }, number: { $gte: 3 } })
      .sort({ number: 1 })
      .hint({ job: 1, number: 1, failed: 1 })
      .explain('executionStats');
    const text = JSON.stringify(plan);
    expect(text).toContain('IXSCAN');
    expect(text).not.toContain('"SORT"');
  });

  test('take no cursor of another job, and no page that is too long', async () => {
    const other = await batchWithFailures(3, 2);
    const { pageInfo } = await read(other.id, 1, null);
    for (const [first, after] of [
      [10, pageInfo.endCursor],
      [501, null],
      [0, null],
    ]) {
      const answer = await system.post(
        `query ($after: String, $first: Int) { scoringJob(id: "${id}") { failureConnection(first: $first, after: $after) { totalCount edges { cursor } } } }`,
        { first, after },
        token,
      );
      expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
    }
  });

  test('are not for callers without the right to predictions', async () => {
    const answer = await system.post(
      `{ scoringJob(id: "${id}") { failureConnection { totalCount } } }`,
      undefined,
      await system.token('ADMIN'),
    );
    expect(codesOf(answer)).toEqual(['FORBIDDEN']);
  });
});
