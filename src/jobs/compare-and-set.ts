import { randomUUID } from 'node:crypto';
import type { PipelineStage, UpdateWriteOpResult } from 'mongoose';
import type { JobStatus, Models, ScoringJob } from '../../models/index.js';
import { isDatabaseOutage } from '../database.js';
import { createGroupCommit, type GroupCommit } from '../group-commit.js';

/** Transitions kept a job; far above what bounded attempts and retries by hand make. */
const transitionsKept = 200;

/** Fields that a change may take off a job. */
const removableFields = ['lease', 'cancelRequestedAt'] as const;

/** What a change makes of a job: the next status, and other fields to set or remove with it. */
export interface JobUpdate {
  readonly status: JobStatus;
  readonly set?: Partial<ScoringJob>;
  readonly unset?: readonly (typeof removableFields)[number][];
}

/** A change of a job that was read before. */
export interface JobChangeRequest extends JobUpdate {
  readonly job: ScoringJob;
}

/**
 * Writes a change if the job is still as it was read, i.e. at the same sequence number, and says whether it was.
 * Changes that happen at the same time go to MongoDB as one statement: as statements of their own, even within one bulk,
 * each would be planned by itself, which costs three times as much.
 */
export function createCompareAndSet({ scoringJobs }: Models): GroupCommit<JobChangeRequest, boolean> {
  return createGroupCommit(async (requests) => {
    const writes = requests.map((request) => ({ ...request, status: { ...request.status, writeId: randomUUID() } }));
    // Of two changes of one job the second comes too late in any case.
    const first = new Map(writes.toReversed().map((write) => [write.job._id.toHexString(), write]));
    const attempted = [...first.values()];
    const write = (): Promise<UpdateWriteOpResult> =>
      scoringJobs.collection.updateMany({ _id: { $in: attempted.map(({ job }) => job._id) } }, pipelineOf(attempted) as object[]) as Promise<UpdateWriteOpResult>;
    // The driver does not repeat a statement on many documents. This one may be: what is written already no longer matches.
    const { modifiedCount } = await write().catch((error: unknown) => {
      if (isDatabaseOutage(error)) return write();
      throw error;
    });
    const written = modifiedCount === writes.length ? undefined : await writeIds(scoringJobs, attempted);
    return writes.map(({ status }) => ({ value: written?.has(status.writeId) ?? true }));
  });
}

/** A statement only counts. Each write carries an id of its own, which tells who was written and who came too late. */
async function writeIds(scoringJobs: Models['scoringJobs'], attempted: readonly JobChangeRequest[]): Promise<Set<string | undefined>> {
  const present = (await scoringJobs.collection
    .find({ _id: { $in: attempted.map(({ job }) => job._id) } }, { projection: { status: 1, transitions: 1 } })
    .toArray()) as unknown as Pick<ScoringJob, 'status' | 'transitions'>[];
  return new Set(present.flatMap(({ status, transitions }) => [status, ...transitions].map(({ writeId }) => writeId)));
}

/** Gives every job its own change where the sequence number is still the one that was read; leaves the others as they are. */
function pipelineOf(requests: readonly JobChangeRequest[]): PipelineStage[] {
  const ids = { $literal: requests.map(({ job }) => job._id) };
  const changes = { $literal: requests.map(changeOf) };
  const changed = {
    $mergeObjects: ['$$ROOT', '$$change.set', { transitions: { $slice: [{ $concatArrays: ['$transitions', '$$change.transitions'] }, -transitionsKept] } }],
  };
  return [
    {
      $replaceWith: {
        $let: {
          vars: { change: { $arrayElemAt: [changes, { $indexOfArray: [ids, '$_id'] }] } },
          in: { $cond: [{ $eq: ['$status.sequence', '$$change.after'] }, changed, '$$ROOT'] },
        },
      },
    },
    // A merge cannot remove: null stands for it.
    { $set: Object.fromEntries(removableFields.map((field) => [field, { $cond: [{ $eq: [`$${field}`, null] }, '$$REMOVE', `$${field}`] }])) },
  ];
}

function changeOf({ job, status, set, unset = [] }: JobChangeRequest) {
  const changesState = status.state !== job.status.state || status.attempts !== job.status.attempts;
  return {
    after: job.status.sequence,
    set: { ...set, ...Object.fromEntries(unset.map((field) => [field, null])), status },
    transitions: changesState ? [status] : [],
  };
}
