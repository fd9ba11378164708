import mongoose, { type Model, type Types } from 'mongoose';
import { createGroupCommit, type GroupCommit, type GroupResult } from './group-commit.js';

/**
 * Documents by id, read in groups; null where there is none.
 * @param largest number read together: see `createGroupCommit`
 */
export function groupedFind<T extends { _id: Types.ObjectId }, R extends Pick<T, '_id'> = T>(
  model: Model<T>,
  projection?: Readonly<Record<string, 1>>,
  largest?: number,
): GroupCommit<Types.ObjectId, R | null> {
  return createGroupCommit(
    async (ids) => {
      const found = (await model.collection.find({ _id: { $in: ids } }, { projection }).toArray()) as unknown as R[];
      const byId = new Map(found.map((document) => [document._id.toHexString(), document]));
      return ids.map((id) => ({ value: byId.get(id.toHexString()) ?? null }));
    },
    { largest },
  );
}

/**
 * Inserts documents in groups. A document that a unique index refuses fails alone, with the server's own code.
 * @param largest number inserted together: see `createGroupCommit`
 */
export function groupedInsert<T extends { _id: Types.ObjectId }>(
  model: Model<T>,
  largest?: number,
): GroupCommit<T, void> {
  return createGroupCommit((documents) => insertGroup(model, documents), { largest });
}

/** One bulk insert; what became of each document, in their order. At least one document. */
export async function insertGroup<T extends { _id: Types.ObjectId }>(
  model: Model<T>,
  documents: T[],
): Promise<GroupResult<void>[]> {
  try {
    await model.collection.insertMany(documents as never[], { ordered: false });
    return documents.map(() => done);
  } catch (error) {
    // A write concern error leaves open whether anything is durable: nobody may be told that it is.
    if (!(error instanceof mongoose.mongo.MongoBulkWriteError) || error.result.getWriteConcernError()) throw error;
    const refused = new Map([error.writeErrors].flat().map((writeError) => [writeError.index, writeError]));
    if (refused.size === 0) throw error;
    return documents.map((_, index) => (refused.has(index) ? { error: asError(refused.get(index)!) } : done));
  }
}

const done: GroupResult<void> = { value: undefined };

/** A write error within a bulk is no Error of its own. Its message quotes the document and is left behind. */
function asError({ code }: { readonly code?: number }): Error {
  return Object.assign(new Error(`the write was refused (code ${code})`), { code });
}

/**
 * Single jobs of a worker that go from step to step together, at most. A statement costs MongoDB as much as thirty jobs do in it, so
 * fewer would cost more a job; but were all of a large worker's jobs one cohort, the worker would be idle while MongoDB answers,
 * and MongoDB while the worker computes. Two cohorts of a worker of 192 were measured to be a tenth faster than one.
 */
export const largestCohort = 96;
