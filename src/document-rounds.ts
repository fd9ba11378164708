import type { Model, Types } from 'mongoose';

/**
 * The documents that match a filter, some at a time, until a whole pass from the first id to the last finds none: whoever
 * works on them makes them match no more, and those that come up meanwhile are found as well.
 */
export async function* documentRounds<T extends { readonly _id: Types.ObjectId }, D>({ collection }: Model<D>, filter: object, size: number): AsyncGenerator<T[]> {
  // Without an order an index of the filter answers, where there is one; with it, MongoDB may read all there are.
  if (!(await collection.findOne(filter, { projection: { _id: 1 } }))) return;
  for (let last: Types.ObjectId | undefined; ; ) {
    const round = await collection.find<T>({ ...filter, ...(last && { _id: { $gt: last } }) }).sort({ _id: 1 }).limit(size).toArray();
    if (round.length === 0 && last === undefined) return;
    if (round.length > 0) yield round;
    last = round.at(-1)?._id;
  }
}
