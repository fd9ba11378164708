import type { Types } from 'mongoose';

/** Documents that have an id. */
interface Identified {
  readonly _id: Types.ObjectId;
}

/**
 * Walks over documents in the order of their ids, a batch at a time. The place is kept as an id and not as a cursor, so that
 * documents may come and go meanwhile and the walk may take as long as it takes.
 * @param size documents per batch; a smaller batch is the last one
 * @param read the next documents behind that of the id, from the first on where there is none, at most `size`, in order
 * @param after id to begin behind
 */
export async function* walkById<T extends Identified>(
  size: number,
  read: (last: Types.ObjectId | undefined) => Promise<readonly T[]>,
  after?: Types.ObjectId,
): AsyncGenerator<readonly T[]> {
  for (let last = after; ;) {
    const batch = await read(last);
    if (batch.length > 0) yield batch;
    if (batch.length < size) return;
    last = batch.at(-1)!._id;
  }
}
