import { mongo, type Model, type Types } from 'mongoose';
import type { AuditEvent, Models, ScoringJob } from '../../models/index.js';
import { duplicateKeyCode, isDuplicateKey } from '../storage/database.js';
import type { GroupResult } from '../storage/group-commit.js';
import { asError, insertGroup } from '../storage/group-queries.js';
import { createJointWrites, into, type JointOutcome } from '../storage/joint-writes.js';

/** The result of an insert. */
interface Inserted {
  /** How many of the events. */
  readonly written: number;
  /** The outcomes of the jobs, in their order. Undefined when not all events were inserted: then no job was. */
  readonly outcomes?: GroupResult<void>[];
}

/** The answer to a write was lost, and MongoDB cannot be asked what it did. */
export class UnansweredError extends Error {
  override readonly name = 'UnansweredError';
}

/** Inserts events of the audit trail, and jobs behind them. */
interface Insertions {
  /**
   * Inserts events in their order, and then the jobs. It stops at the first sequence number that another process has
   * taken. A job that a unique index refuses has its error as its outcome.
   * @throws the error of MongoDB: it is not known which events were inserted, but no job was
   * @throws UnansweredError when jobs may have been inserted too
   */
  insert(events: readonly AuditEvent[], jobs: readonly ScoringJob[]): Promise<Inserted>;
}

export function createInsertions({ auditEvents, scoringJobs }: Models): Insertions {
  const joint = createJointWrites(auditEvents.db);
  /** Never throws: the events are durable already. */
  const insertJobs = async (jobs: readonly ScoringJob[]): Promise<GroupResult<void>[]> =>
    jobs.length === 0 ? [] : insertGroup(scoringJobs, [...jobs]).catch((error: unknown) => jobs.map(() => ({ error })));

  /** @returns undefined when MongoDB cannot do it */
  async function insertTogether(
    events: readonly AuditEvent[],
    jobs: readonly ScoringJob[],
  ): Promise<Inserted | undefined> {
    const insertion = { name: 'insertOne' } as const;
    let outcome: JointOutcome | undefined;
    try {
      outcome = await joint.write([
        ...events.map((document) => ({ ...insertion, ...into(auditEvents), document })),
        ...jobs.map((document) => ({ ...insertion, ...into(scoringJobs), document })),
      ]);
    } catch (error) {
      const completed = await completeUnanswered(events, jobs).catch((cause: unknown) => {
        throw new UnansweredError('MongoDB does not tell what it has inserted', { cause });
      });
      if (completed) return completed;
      throw error;
    }
    if (!outcome) return undefined;
    const { refused } = outcome;
    if (!refused) return { written: events.length, outcomes: jobs.map(() => done) };
    const job = refused.index - events.length;
    if (job >= 0)
      return {
        written: events.length,
        outcomes: [
          ...jobs.slice(0, job).map(() => done),
          { error: asError(refused) },
          ...(await insertJobs(jobs.slice(job + 1))),
        ],
      };
    if (refused.code !== duplicateKeyCode) throw asError(refused);
    return { written: refused.index };
  }

  /**
   * Finds out what a write did whose answer was lost, and inserts the jobs that it did not: a caller must not be told that
   * nothing was done while a job runs.
   * @returns undefined when not all events are stored; then no job is, because the jobs are behind them
   */
  async function completeUnanswered(
    events: readonly AuditEvent[],
    jobs: readonly ScoringJob[],
  ): Promise<Inserted | undefined> {
    if ((await storedAmong(auditEvents, events)).size < events.length) return undefined;
    const storedJobs = await storedAmong(scoringJobs, jobs);
    const isStored = ({ _id }: ScoringJob): boolean => storedJobs.has(_id.toHexString());
    const missing = jobs.filter((job) => !isStored(job));
    const outcomes = await insertJobs(missing);
    return {
      written: events.length,
      outcomes: jobs.map((job) => (isStored(job) ? done : outcomes[missing.indexOf(job)]!)),
    };
  }

  async function insertEvents(events: readonly AuditEvent[]): Promise<number> {
    try {
      await auditEvents.collection.insertMany(events as never[], { ordered: true });
      return events.length;
    } catch (error) {
      // After a write concern error it is not known whether any event is durable.
      if (error instanceof mongo.MongoBulkWriteError && isDuplicateKey(error) && !error.result.getWriteConcernError())
        return error.insertedCount;
      throw error;
    }
  }

  return {
    async insert(events, jobs) {
      const together = jobs.length > 0 ? await insertTogether(events, jobs) : undefined;
      if (together) return together;
      const written = await insertEvents(events);
      return written < events.length ? { written } : { written, outcomes: await insertJobs(jobs) };
    },
  };
}

/** Hexadecimal ids of the documents that a majority has. */
async function storedAmong<T extends { readonly _id: Types.ObjectId }>(
  { collection }: Model<T>,
  documents: readonly T[],
): Promise<Set<string>> {
  const found = await collection
    .find({ _id: { $in: documents.map(({ _id }) => _id) } } as never, {
      projection: { _id: 1 },
      readConcern: { level: 'majority' },
    })
    .toArray();
  return new Set(found.map(({ _id }) => String(_id)));
}

const done: GroupResult<void> = { value: undefined };
