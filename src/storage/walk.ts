import type { Types } from 'mongoose';

/** A document with an id. */
interface Identified {
  readonly _id: Types.ObjectId;
}

/**
 * Walks over documents in the order of their ids, one batch at a time. It remembers its place as an id, not as a
 * cursor. So documents may be added or removed during the walk, and the walk may take any time.
 * @param size documents per batch; a smaller batch is the last one
 * @param read gives the next documents after an id, in order, at most `size`; without an id, the first ones
 * @param after id of the document before the first one
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
