import { mongo } from 'mongoose';
import type { AuditEvent, Models, ScoringJob } from '../../models/index.js';
import { duplicateKeyCode, isDuplicateKey } from '../storage/database.js';
import type { GroupResult } from '../storage/group-commit.js';
import { asError, insertGroup } from '../storage/group-queries.js';
import { createJointWrites, into } from '../storage/joint-writes.js';

/** What was inserted. */
interface Inserted {
  /** How many of the events. */
  readonly written: number;
  /** The outcomes of the jobs, in their order. Undefined when not all events were inserted: then no job was. */
  readonly outcomes?: GroupResult<void>[];
}

/** Inserts events of the audit trail, and jobs behind them. */
interface Insertions {
  /**
   * Inserts events in their order, and then the jobs. It stops at the first sequence number that another process has
   * taken. A job that a unique index refuses has its error as its outcome.
   * @throws the error of MongoDB. It is not known then what was inserted
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
    const outcome = await joint.write([
      ...events.map((document) => ({ ...insertion, ...into(auditEvents), document })),
      ...jobs.map((document) => ({ ...insertion, ...into(scoringJobs), document })),
    ]);
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

const done: GroupResult<void> = { value: undefined };
