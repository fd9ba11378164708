import { Types } from 'mongoose';
import { expect, vi, test } from 'vitest';
import { walkById } from '../../src/storage/walk.js';

const documents = Array.from({ length: 4 }, () => ({ _id: new Types.ObjectId() }));

/** Reads two documents at a time. */
const reader = (all: readonly { readonly _id: Types.ObjectId }[]) =>
  vi.fn<(last: Types.ObjectId | undefined) => Promise<readonly { readonly _id: Types.ObjectId }[]>>(async (last) => {
    const start = last ? all.findIndex(({ _id }) => _id.equals(last)) + 1 : 0;
    return all.slice(start, start + 2);
  });

async function numbersOf(walk: AsyncIterable<readonly { readonly _id: Types.ObjectId }[]>): Promise<number[][]> {
  const batches: number[][] = [];
  for await (const batch of walk)
    batches.push(batch.map(({ _id }) => documents.findIndex((one) => one._id === _id) + 1));
  return batches;
}

test('a walk goes from batch to batch, each behind the last id of the one before', async () => {
  const read = reader(documents.slice(0, 3));
  expect(await numbersOf(walkById(2, read))).toEqual([[1, 2], [3]]);
  expect(read.mock.calls).toEqual([[undefined], [documents[1]!._id]]);
});

test('a walk whose last batch is full reads an empty one after it, and does not pass it on', async () => {
  const read = reader(documents);
  expect(await numbersOf(walkById(2, read))).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect(read).toHaveBeenCalledTimes(3);
});

test('a walk begins behind the id that it is given', async () => {
  expect(await numbersOf(walkById(2, reader(documents), documents[0]!._id))).toEqual([[2, 3], [4]]);
});
