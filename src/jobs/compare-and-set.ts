/*
 * Changes of jobs, written only if the job is still as it was read.
 *
 * How requests that come at the same time are written:
 * 1. Of two requests for one job only the first is written; the second comes too late.
 * 2. Requests that make the same change are grouped.
 * 3. A single group, or a large one, becomes a statement of its own. Several small groups share one, which is an aggregation
 *    pipeline.
 * 4. All statements go to MongoDB in one bulk write.
 * 5. If MongoDB changed fewer jobs than were asked for, the write id tells which ones it changed.
 */
import { randomUUID } from 'node:crypto';
import type { PipelineStage } from 'mongoose';
import type { JobStatus, Models, ScoringJob } from '../../models/index.js';
import { isDatabaseOutage } from '../storage/database.js';
import { createGroupCommit, type GroupCommit } from '../storage/group-commit.js';
import { largestCohort } from '../storage/group-queries.js';
import { isTransition } from './job-status.js';

/** Transitions kept per job. Attempts are bounded and retries are made by hand, so jobs have far fewer. */
export const transitionsKept = 200;

/** Fields that a change may remove from a job. */
const removableFields = ['lease', 'cancelRequestedAt'] as const;

/** The next status of a job, and the other fields to set or remove together with it. */
export interface JobUpdate {
  readonly status: JobStatus;
  readonly set?: Partial<ScoringJob>;
  readonly unset?: readonly (typeof removableFields)[number][];
}

/** The job as it was read, and the change to be made to it. */
export interface JobChangeRequest extends JobUpdate {
  readonly job: Pick<ScoringJob, '_id' | 'status'>;
}

/**
 * Fewest alike jobs that get a statement of their own beside other groups. One statement costs as much as six jobs in the
 * pipeline.
 */
const worthAStatement = 8;

/** The job after the update. */
export function applied(job: ScoringJob, { status, set, unset = [] }: JobUpdate): ScoringJob {
  const transitions = isTransition(job.status, status) ? [...job.transitions, status] : job.transitions;
  const changed = { ...job, ...set, status, transitions };
  for (const field of unset) delete changed[field];
  return changed;
}

/** A change as it is written to the stored document. */
interface Change {
  /** Sequence number that the job must still have. */
  readonly after: number;
  readonly set: Partial<ScoringJob> & { readonly status: JobStatus };
  readonly unset: readonly (typeof removableFields)[number][];
  /** Statuses to be appended to those of the job. */
  readonly transitions: readonly JobStatus[];
}

/** Jobs to be changed in the same way. There is at least one. */
interface AlikeJobs {
  readonly ids: ScoringJob['_id'][];
  readonly change: Change;
}

/** A filter that finds the jobs only while they are as they were read, and the update of them. */
interface UpdateOfAlike {
  readonly filter: object;
  readonly update: object;
}

/** A statement that changes several jobs. */
interface Statement {
  readonly updateMany: UpdateOfAlike;
}

/**
 * Writes a change if the job is still as it was read, i.e. at the same sequence number. The result tells whether it
 * was. Changes that happen at the same time go to MongoDB in one round trip and few statements. MongoDB plans each
 * statement on its own: one statement per job would cost three times as much.
 */
export function createCompareAndSet({ scoringJobs }: Models): GroupCommit<JobChangeRequest, boolean> {
  return createGroupCommit(
    async (requests) => {
      // The write id tells which jobs were written. MongoDB itself answers only how many.
      const writeId = randomUUID();
      // A second change of the same job always comes too late.
      const first = new Map(requests.toReversed().map((request) => [request.job._id.toHexString(), request]));
      const statements = changeStatements([...first.values()], writeId);
      const write = () => scoringJobs.collection.bulkWrite(statements as never[], { ordered: false });
      // The driver does not repeat statements that change many documents. Here a repetition is safe: a job that is
      // written already has another sequence number and no longer matches.
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

/**
 * Hexadecimal ids of the jobs that the write changed. A later write may have replaced the status. Then the write id is
 * among the transitions, or the author of the later write has read the job with our change.
 */
export async function jobsWritten(
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

/**
 * The statements that make the changes of jobs that are still as they were read.
 * @param requests at most one for each job
 * @param writeId a new id, by which `jobsWritten` finds the jobs that were changed
 */
export const changeStatements = (requests: readonly JobChangeRequest[], writeId: string): Statement[] =>
  statementsOf(alikeJobs(requests, writeId));

/** The filter and the update that make one change, for a command of its own. @param writeId a new id */
export const updateOfOne = (request: JobChangeRequest, writeId: string): UpdateOfAlike =>
  updateOfAlike({ ids: [request.job._id], change: changeOf(request, writeId) });

/**
 * The filter and the update that make one change, or are refused. MongoDB makes no later write of an ordered bulk then.
 * @param request without fields to remove
 * @param writeId a new id
 */
export function updateOrRefusal(request: JobChangeRequest, writeId: string): UpdateOfAlike {
  const { after, set, transitions } = changeOf(request, writeId);
  const changed = {
    $mergeObjects: [
      '$$ROOT',
      { $literal: set },
      { transitions: { $concatArrays: ['$transitions', { $literal: transitions }] } },
    ],
  };
  // The name of a state is no number.
  const refusal = { $toInt: '$status.state' };
  return {
    filter: { _id: request.job._id },
    update: [{ $replaceWith: { $cond: [{ $eq: ['$status.sequence', after] }, changed, refusal] } }],
  };
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
  return {
    after: job.status.sequence,
    set: { ...set, status: named },
    unset,
    transitions: isTransition(job.status, status) ? [named] : [],
  };
}

/** One statement for each change that many jobs share, and one statement for all other changes. */
function statementsOf(groups: readonly AlikeJobs[]): Statement[] {
  // One group needs no pipeline.
  if (groups.length === 1) return groups.map(statementOf);
  const many = groups.filter(({ ids }) => ids.length >= worthAStatement);
  const few = groups
    .filter(({ ids }) => ids.length < worthAStatement)
    .flatMap(({ ids, change }) => ids.map((id) => ({ id, change })));
  return [...many.map(statementOf), ...(few.length > 0 ? [pipelineStatement(few)] : [])];
}

const statementOf = (jobs: AlikeJobs): Statement => ({ updateMany: updateOfAlike(jobs) });

function updateOfAlike({ ids, change: { after, set, unset, transitions } }: AlikeJobs): UpdateOfAlike {
  const update = {
    $set: set,
    ...(unset.length > 0 && { $unset: Object.fromEntries(unset.map((field) => [field, ''])) }),
    ...(transitions.length > 0 && { $push: { transitions: { $each: transitions, $slice: -transitionsKept } } }),
  };
  return { filter: { _id: { $in: ids }, 'status.sequence': after }, update };
}

/** Gives every job its own change if the sequence number is still the one that was read. Other jobs stay unchanged. */
function pipelineStatement(jobs: readonly { readonly id: ScoringJob['_id']; readonly change: Change }[]): Statement {
  const ids = jobs.map(({ id }) => id);
  // A merge cannot remove a field: null marks the fields to be removed.
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
  return { updateMany: { filter: { _id: { $in: ids } }, update } };
}
