/*
 * Logs: each document of a collection has a number, in the order in which the documents of its organization became
 * visible. A reader who remembers a number can read on behind it, and misses none.
 *
 * Ids and times cannot give that order. A worker makes the id before it stores the document, so a smaller id may become
 * visible after a larger one, and a reader who has passed the larger one would miss it.
 *
 * - A document is inserted together with the number behind the last one that is visible. A unique index refuses a number
 *   that another worker has taken; then the insert is tried with the next one. So a reader who sees a number
 *   sees all before it, or their remains.
 * - A number is never given again, else a reader who has passed it would miss its second document. So a document that is
 *   removed leaves its number behind, and nothing else.
 * - Each document keeps its number with itself: no crash can separate them.
 */
import { LRUCache } from 'lru-cache';
import mongoose, { type Model, type Types } from 'mongoose';
import type { LogNumber, Prediction, PredictionBlock } from '../../models/index.js';
import { duplicateKeyCode } from './database.js';
import type { GroupResult } from './group-commit.js';
import { asError } from './group-queries.js';

/** The index that gives the documents of a log in their order. */
export const logIndex = { 'logged.organization': 1, 'logged.number': 1 } as const;

/** A document of a log. */
type Logged = Prediction | PredictionBlock;

/**
 * Matches the documents of a log behind a number. The condition on the organization is another field than that of all
 * other queries: the remains of a removed document have no other.
 */
export const behind = (organization: Types.ObjectId, number: number): Record<string, unknown> => ({
  'logged.organization': organization,
  'logged.number': { $gt: number },
});

/** @returns the last number of a log, 0 for an empty one */
export async function lastNumber<T extends Logged>(
  { collection }: Model<T>,
  organization: Types.ObjectId,
  readConcern?: 'majority',
): Promise<number> {
  const last = await collection.findOne<{ readonly logged: LogNumber }>(behind(organization, 0), {
    projection: { _id: 0, 'logged.number': 1 },
    sort: { 'logged.number': -1 },
    hint: logIndex,
    ...(readConcern && { readConcern: { level: readConcern } }),
  });
  return last?.logged.number ?? 0;
}

/** Writes documents at the ends of the logs of a collection. */
export interface LogWriter<T extends Logged> {
  /**
   * Inserts documents at the end of the logs of their organizations.
   * @returns the outcome of each document, in the given order: an error with the code of a duplicate key for one that has
   *   a twin, or was stored before
   */
  append(documents: readonly T[]): Promise<GroupResult<void>[]>;
  /** Gives documents the numbers at the ends of their logs, for a caller who inserts them in a write of its own. */
  number(documents: readonly T[]): Promise<NumberedDocuments<T>>;
}

/** Documents with the numbers that they have if they are inserted at once. */
interface NumberedDocuments<T> {
  /** In the given order. */
  readonly documents: readonly (T & { readonly logged: LogNumber })[];
  /** Is told whether all of them were inserted. */
  settle(inserted: boolean): void;
}

/**
 * Organizations whose last number a writer remembers, and for how long, milliseconds. It must be forgotten long before the
 * documents behind it can be removed after their time: without them a number that readers have passed would look free. The
 * system clock is used because it continues while the machine sleeps.
 */
const rememberedEnds = { max: 1_000, ttl: 60_000, perf: { now: () => Date.now() } };
/** Time for which the number is read before each insert, after another process has taken one. Milliseconds. */
const contestedMs = 1_000;

/**
 * Makes the writer of a collection. It remembers the number that it inserted last, and so does not have to read it. A
 * number that another worker has taken meanwhile is refused, and the last one is read. Where several workers write, it is
 * read each time.
 * @param twin the condition that finds a document that was stored in its place before
 */
export function createLogWriter<T extends Logged>(model: Model<T>, twin: (document: T) => object): LogWriter<T> {
  const ends = new LRUCache<string, number>(rememberedEnds);
  const contested = new LRUCache<string, true>({ max: rememberedEnds.max, ttl: contestedMs });

  /** Appends documents of one organization, and writes down their outcomes. */
  async function append(documents: readonly T[], outcomes: Map<T, GroupResult<void>>): Promise<void> {
    let left = documents;
    while (left.length > 0) {
      const { organization } = left[0]!;
      const key = organization.toHexString();
      const last = ends.get(key) ?? (await lastNumber(model, organization));
      const numbered = left.map((document, index) => ({
        ...document,
        logged: { organization, number: last + 1 + index },
      }));
      // It is forgotten now, and remembered when all are stored. After an error it is not known.
      ends.delete(key);
      const refusal = await insertInOrder(model, numbered);
      const stored = refusal ? left.slice(0, refusal.index) : left;
      for (const document of stored) outcomes.set(document, { value: undefined });
      if (!refusal && !contested.has(key)) ends.set(key, last + left.length);
      const refused = left[stored.length];
      // The document may be stored already: its twin, or the document itself, of which an erasure may have left the number.
      const stands = refused && { $or: [twin(refused), { _id: refused._id }] };
      const isStored = stands && (await model.collection.findOne(stands as never, { projection: { _id: 1 } }));
      // If it is not, only its number was taken, by another worker.
      const isFinal = refused && (isStored || refusal!.code !== duplicateKeyCode);
      if (isFinal) outcomes.set(refused, { error: asError(refusal!) });
      else if (refused) contested.set(key, true);
      left = left.slice(stored.length + (isFinal ? 1 : 0));
    }
  }

  return {
    async number(documents) {
      const next = new Map<string, number>();
      for (const [key, [first]] of byOrganization(documents)) {
        next.set(key, (ends.get(key) ?? (await lastNumber(model, first!.organization))) + 1);
        ends.delete(key);
      }
      return {
        documents: documents.map((document) => {
          const { organization } = document;
          const key = organization.toHexString();
          const number = next.get(key)!;
          next.set(key, number + 1);
          return { ...document, logged: { organization, number } };
        }),
        settle(inserted) {
          for (const [key, number] of next) {
            if (!inserted) contested.set(key, true);
            else if (!contested.has(key)) ends.set(key, number - 1);
          }
        },
      };
    },
    async append(documents) {
      const outcomes = new Map<T, GroupResult<void>>();
      await Promise.all([...byOrganization(documents).values()].map((ofOne) => append(ofOne, outcomes)));
      return documents.map((document) => outcomes.get(document)!);
    },
  };
}

function byOrganization<T extends Logged>(documents: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const document of documents) {
    const key = document.organization.toHexString();
    groups.set(key, [...(groups.get(key) ?? []), document]);
  }
  return groups;
}

/** Inserts documents one after the other. @returns the first refusal; those behind it were not inserted */
async function insertInOrder<T>(
  { collection }: Model<T>,
  documents: readonly object[],
): Promise<{ readonly index: number; readonly code?: number } | undefined> {
  try {
    await collection.insertMany(documents as never[], { ordered: true });
    return undefined;
  } catch (error) {
    // After a write concern error it is not known whether any document is durable, so no document counts as stored.
    if (!(error instanceof mongoose.mongo.MongoBulkWriteError) || error.result.getWriteConcernError()) throw error;
    const [refusal] = [error.writeErrors].flat();
    if (!refusal) throw error;
    return refusal;
  }
}

/** The parts of a collection with which documents are removed. */
interface Removing {
  updateMany(filter: object, update: object): Promise<unknown>;
  deleteMany(filter: object): Promise<unknown>;
}

/**
 * Removes documents. Of one that has a number in a log, the number stays. The field `job` is filled, because a unique
 * index has it.
 */
export async function removeFromLog(collection: Removing, filter: object): Promise<void> {
  const remains = { _id: '$_id', job: '$_id', chunk: '$chunk', logged: '$logged' };
  await collection.updateMany({ $and: [filter, { 'logged.number': { $gt: 0 } }] }, [{ $replaceWith: remains }]);
  await collection.deleteMany({ $and: [filter, { 'logged.number': { $exists: false } }] });
}

/**
 * Removes the documents of jobs of one organization. The newest document of its log leaves its number, so that no number
 * is given again. The others leave nothing: a reader passes over numbers that are missing.
 */
export async function expireFromLog<T extends Logged>(
  model: Model<T>,
  organization: Types.ObjectId,
  jobs: readonly Types.ObjectId[],
): Promise<void> {
  const ofJobs = { job: { $in: jobs } };
  const newest = await lastNumber(model, organization);
  await removeFromLog(model.collection, { ...ofJobs, 'logged.organization': organization, 'logged.number': newest });
  await model.collection.deleteMany(ofJobs as never);
}
