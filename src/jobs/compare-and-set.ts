import { randomUUID } from 'node:crypto';
import type { mongo, PipelineStage } from 'mongoose';
import type { JobStatus, Models, ScoringJob } from '../../models/index.js';
import { isDatabaseOutage } from '../storage/database.js';
import { createGroupCommit, type GroupCommit } from '../storage/group-commit.js';
import { largestCohort } from '../storage/group-queries.js';

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
interface JobChangeRequest extends JobUpdate {
  readonly job: ScoringJob;
}

/** From this many jobs on a change that is the same for all is a statement of its own: one costs as much as six jobs in a pipeline. */
const worthAStatement = 8;

/** A change in terms of what is stored. */
interface Change {
  /** Sequence number that the job must still have. */
  readonly after: number;
  readonly set: Partial<ScoringJob> & { readonly status: JobStatus };
  readonly unset: readonly (typeof removableFields)[number][];
  /** Appended. */
  readonly transitions: readonly JobStatus[];
}

/** Jobs to be changed in the same way. At least one. */
interface AlikeJobs {
  readonly ids: ScoringJob['_id'][];
  readonly change: Change;
}

type Statement = mongo.AnyBulkWriteOperation;

/**
 * Writes a change if the job is still as it was read, i.e. at the same sequence number, and says whether it was.
 * Changes that happen at the same time go to MongoDB in one round trip and few statements: each statement is planned by
 * itself, and one a job costs three times as much.
 */
export function createCompareAndSet({ scoringJobs }: Models): GroupCommit<JobChangeRequest, boolean> {
  return createGroupCommit(
    async (requests) => {
      // Tells who was written and who came too late: the answer to a statement only counts.
      const writeId = randomUUID();
      // Of two changes of one job the second comes too late in any case.
      const first = new Map(requests.toReversed().map((request) => [request.job._id.toHexString(), request]));
      const statements = statementsOf(alikeJobs([...first.values()], writeId));
      const write = () => scoringJobs.collection.bulkWrite(statements, { ordered: false });
      // The driver does not repeat statements on many documents. These may be: what is written already no longer matches.
      const { modifiedCount } = await write().catch((error: unknown) => {
        if (isDatabaseOutage(error)) return write();
        throw error;
      });
      if (modifiedCount === requests.length) return requests.map(() => ({ value: true }));
      const written = await jobsWritten(scoringJobs, [...first.values()], writeId);
      return requests.map((request) => {
        const id = request.job._id.toHexString();
        return { value: first.get(id) === request && written.has(id) };
      });
    },
    { largest: largestCohort },
  );
}

/** Hexadecimal ids of those of the jobs that the write changed. Another one may have followed: then it is among the transitions, or its author read it. */
async function jobsWritten(
  scoringJobs: Models['scoringJobs'],
  requests: readonly JobChangeRequest[],
  writeId: string,
): Promise<Set<string>> {
  const found = await scoringJobs.collection
    .find(
      {
        _id: { $in: requests.map(({ job }) => job._id) },
        $or: [{ 'status.writeId': writeId }, { 'transitions.writeId': writeId }],
      },
      { projection: { _id: 1 } },
    )
    .toArray();
  return new Set(found.map(({ _id }) => _id.toHexString()));
}

function alikeJobs(requests: readonly JobChangeRequest[], writeId: string): AlikeJobs[] {
  const groups = new Map<string, AlikeJobs>();
  for (const request of requests) {
    const change = changeOf(request, writeId);
    const key = JSON.stringify(change);
    const known = groups.get(key);
    if (known) known.ids.push(request.job._id);
    else groups.set(key, { ids: [request.job._id], change });
  }
  return [...groups.values()];
}

function changeOf({ job, status, set, unset = [] }: JobChangeRequest, writeId: string): Change {
  const named = { ...status, writeId };
  const changesState = status.state !== job.status.state || status.attempts !== job.status.attempts;
  return {
    after: job.status.sequence,
    set: { ...set, status: named },
    unset,
    transitions: changesState ? [named] : [],
  };
}

/** A statement for each change that is that of many jobs, and one for all others. */
function statementsOf(groups: readonly AlikeJobs[]): Statement[] {
  const many = groups.filter(({ ids }) => ids.length >= worthAStatement);
  const few = groups
    .filter(({ ids }) => ids.length < worthAStatement)
    .flatMap(({ ids, change }) => ids.map((id) => ({ id, change })));
  return [...many.map(statementOf), ...(few.length > 0 ? [pipelineStatement(few)] : [])];
}

function statementOf({ ids, change: { after, set, unset, transitions } }: AlikeJobs): Statement {
  const update = {
    $set: set,
    ...(unset.length > 0 && { $unset: Object.fromEntries(unset.map((field) => [field, ''])) }),
    ...(transitions.length > 0 && { $push: { transitions: { $each: transitions, $slice: -transitionsKept } } }),
  };
  return { updateMany: { filter: { _id: { $in: ids }, 'status.sequence': after }, update } } as Statement;
}

/** Gives every job its own change where the sequence number is still the one that was read; leaves the others as they are. */
function pipelineStatement(jobs: readonly { readonly id: ScoringJob['_id']; readonly change: Change }[]): Statement {
  const ids = jobs.map(({ id }) => id);
  // A merge cannot remove: null stands for it.
  const changes = jobs.map(({ change: { after, set, unset, transitions } }) => ({
    after,
    transitions,
    set: { ...set, ...Object.fromEntries(unset.map((field) => [field, null])) },
  }));
  const changed = {
    $mergeObjects: [
      '$$ROOT',
      '$$change.set',
      { transitions: { $slice: [{ $concatArrays: ['$transitions', '$$change.transitions'] }, -transitionsKept] } },
    ],
  };
  const update: PipelineStage[] = [
    {
      $replaceWith: {
        $let: {
          vars: { change: { $arrayElemAt: [{ $literal: changes }, { $indexOfArray: [{ $literal: ids }, '$_id'] }] } },
          in: { $cond: [{ $eq: ['$status.sequence', '$$change.after'] }, changed, '$$ROOT'] },
        },
      },
    },
    {
      $set: Object.fromEntries(
        removableFields.map((field) => [field, { $cond: [{ $eq: [`$${field}`, null] }, '$$REMOVE', `$${field}`] }]),
      ),
    },
  ];
  return { updateMany: { filter: { _id: { $in: ids } }, update } } as Statement;
}
