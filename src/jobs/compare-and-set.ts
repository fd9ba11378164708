import { randomUUID } from 'node:crypto';
import type { JobStatus, Models, ScoringJob } from '../../models/index.js';
import { createGroupCommit, type GroupCommit } from '../group-commit.js';

/** Transitions kept a job; far above what bounded attempts and retries by hand make. */
const transitionsKept = 200;

/** What a change makes of a job: the next status, and other fields to set or remove with it. */
export interface JobUpdate {
  readonly status: JobStatus;
  readonly set?: Partial<ScoringJob>;
  readonly unset?: readonly (keyof ScoringJob)[];
}

/**
 * Writes a change if the job is still as it was read, i.e. at the same sequence number, and says whether it was.
 * Changes that happen at the same time go to MongoDB in one bulk.
 */
export function createCompareAndSet({ scoringJobs }: Models): GroupCommit<JobUpdate & { readonly job: ScoringJob }, boolean> {
  return createGroupCommit(async (changes) => {
    const updates = changes.map((change) => ({ ...change, status: { ...change.status, writeId: randomUUID() } }));
    const { modifiedCount } = await scoringJobs.collection.bulkWrite(updates.map((update) => ({ updateOne: toUpdate(update) })) as never, { ordered: false });
    if (modifiedCount === updates.length) return updates.map(() => ({ value: true }));
    // A bulk only counts. Each write carries an id of its own, which tells who was written and who came too late.
    const present = await scoringJobs.collection
      .find({ _id: { $in: updates.map(({ job }) => job._id) } }, { projection: { status: 1, transitions: 1 } })
      .toArray() as unknown as Pick<ScoringJob, '_id' | 'status' | 'transitions'>[];
    const written = new Set(present.flatMap(({ status, transitions }) => [status, ...transitions].map(({ writeId }) => writeId)));
    return updates.map(({ status }) => ({ value: written.has(status.writeId) }));
  });
}

function toUpdate({ job, status, set, unset }: JobUpdate & { readonly job: ScoringJob }) {
  const changesState = status.state !== job.status.state || status.attempts !== job.status.attempts;
  return {
    filter: { _id: job._id, 'status.sequence': job.status.sequence },
    update: {
      $set: { ...set, status },
      ...(unset?.length && { $unset: Object.fromEntries(unset.map((field) => [field, 1])) }),
      ...(changesState && { $push: { transitions: { $each: [status], $slice: -transitionsKept } } }),
    },
  };
}
