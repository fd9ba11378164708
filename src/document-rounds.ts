import type { Model, Types } from 'mongoose';

/**
 * The documents that match a filter, some at a time, until a whole pass from the first id to the last finds none: whoever
 * works on them makes them match no more, and those that come up meanwhile are found as well.
 */
export async function* documentRounds<T extends { readonly _id: Types.ObjectId }, D>({ collection }: Model<D>, filter: object, size: number): AsyncGenerator<T[]> {
  for (let last: Types.ObjectId | undefined; ; ) {
    const round = await collection.find<T>({ ...filter, ...(last && { _id: { $gt: last } }) }).sort({ _id: 1 }).limit(size).toArray();
    if (round.length === 0 && last === undefined) return;
    if (round.length > 0) yield round;
    last = round.at(-1)?._id;
  }
}
