import mongoose, { type Model, type Types } from 'mongoose';
import { duplicateKeyCode, longestWaitMs } from './database.js';
import { createGroupCommit, type GroupCommit, type GroupResult } from './group-commit.js';

/**
 * Finds documents by id, in groups; null for an id without a document.
 * @param largest most ids in one read: see `createGroupCommit`
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
    { largest, longestWaitMs },
  );
}

/**
 * Inserts documents in groups. When a unique index refuses a document, only that document fails, with the server's own
 * code.
 * @param largest most documents in one insert: see `createGroupCommit`
 */
export function groupedInsert<T extends { _id: Types.ObjectId }>(
  model: Model<T>,
  largest?: number,
): GroupCommit<T, void> {
  return createGroupCommit((documents) => insertGroup(model, documents), { largest, longestWaitMs });
}

/** Inserts one group, which must not be empty. @returns the outcome of each document, in the given order */
export async function insertGroup<T extends { _id: Types.ObjectId }>(
  model: Model<T>,
  documents: T[],
): Promise<GroupResult<void>[]> {
  try {
    await model.collection.insertMany(documents as never[], { ordered: false });
    return documents.map(() => done);
  } catch (error) {
    // After a write concern error it is not known whether any document is durable, so no document counts as stored.
    if (!(error instanceof mongoose.mongo.MongoBulkWriteError) || error.result.getWriteConcernError()) throw error;
    const refused = new Map([error.writeErrors].flat().map((writeError) => [writeError.index, writeError]));
    if (refused.size === 0) throw error;
    return documents.map((_, index) => (refused.has(index) ? { error: asError(refused.get(index)!) } : done));
  }
}

/**
 * Passes over the documents of a bulk that a unique index refused: all other documents of it are stored.
 * @throws any other error of a bulk. It has the server's own code; its message quotes no document
 */
export function passOverDuplicates(error: unknown): void {
  if (!(error instanceof mongoose.mongo.MongoBulkWriteError) || error.result.getWriteConcernError()) throw error;
  const refused = [error.writeErrors].flat();
  if (refused.length === 0) throw error;
  const other = refused.find(({ code }) => code !== duplicateKeyCode);
  if (other) throw asError(other);
}

const done: GroupResult<void> = { value: undefined };

/** Makes an Error of a write error within a bulk, which is none. Its message quotes the document and is left out. */
export function asError({ code }: { readonly code?: number }): Error {
  return Object.assign(new Error(`the write was refused (code ${code})`), { code });
}

/**
 * The most single jobs of a worker that go through their steps together: a cohort. A statement costs MongoDB as much as
 * thirty jobs in it, so a smaller cohort costs more per job. If all jobs of a large worker were one cohort, the worker
 * would be idle while MongoDB answers, and MongoDB while the worker computes. A worker of 192 jobs was measured to be a
 * tenth faster with two cohorts than with one.
 */
export const largestCohort = 96;
