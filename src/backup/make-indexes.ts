import type { mongo } from 'mongoose';
import type { Models } from '../../models/index.js';
import { isDuplicateKey } from '../storage/database.js';

/** Largest difference between the clocks of the processes that make ids and backups. Milliseconds. */
const clockSkewMs = 60_000;

/**
 * Makes the indexes of a restored database. A backup may hold two documents where only one was at any time: the first was
 * read, and was removed or changed before the second one got its key, in the same collection.
 * - A second document that was made after the backup began is left out, as all that began later.
 * - A second patient of before got the MRN of another one meanwhile. It stays, and is not found by its MRN until it is
 *   updated.
 * @returns the number of second documents
 */
export async function makeIndexes(models: Models, begunAt: Date): Promise<number> {
  let seconds = 0;
  for (const model of Object.values(models) as Models['patients'][]) {
    for (;;) {
      try {
        await model.createIndexes();
        break;
      } catch (error) {
        const key = isDuplicateKey(error) ? (error as { keyValue?: object }).keyValue : undefined;
        if (!key) throw error;
        seconds += await giveUpKey(model.collection as unknown as mongo.Collection, key, begunAt);
      }
    }
  }
  return seconds;
}

/** Leaves a key to the document that was made first. Ids grow with time. */
async function giveUpKey(collection: mongo.Collection, key: object, begunAt: Date): Promise<number> {
  const [, ...later] = await collection
    .find(key, { projection: { _id: 1 } })
    .sort({ _id: 1 })
    .toArray();
  const earliest = begunAt.getTime() - clockSkewMs;
  for (const { _id } of later) {
    if (_id.getTimestamp().getTime() >= earliest) await collection.deleteOne({ _id });
    else if ('mrnIndex' in key) await collection.updateOne({ _id }, { $unset: { mrnIndex: 1 } });
    else throw new Error(`${collection.collectionName} has two documents under one key`);
  }
  if (later.length === 0) throw new Error(`an index of ${collection.collectionName} cannot be made`);
  return later.length;
}
