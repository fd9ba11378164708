/*
 * Lease: a worker's right to run a job, written in the job with a token and an end. Its holder renews it. After the end
 *   another worker may take the job over, and the first can no longer change it.
 * Claim: to take a job for this process, by writing a new lease into it; also the job so taken, with that lease.
 */
import { randomUUID } from 'node:crypto';
import type { Types } from 'mongoose';
import {
  ScoringJobState,
  type JobFailure,
  type JobLease,
  type JobStatus,
  type Models,
  type ScoringJob,
} from '../../models/index.js';
import { isDuplicateKey } from '../storage/database.js';
import type { EventBus } from '../events/event-bus.js';
import { groupedFind, groupedInsert, largestCohort } from '../storage/group-queries.js';
import { createCompareAndSet, type JobUpdate } from './compare-and-set.js';
import { cancelled, failed, isTerminal, progressed, started } from './job-status.js';

/** A job that this process may run, until another worker takes the lease. */
export interface ClaimedJob {
  readonly job: ScoringJob;
  readonly lease: JobLease;
}

/** What becomes of a job, null for nothing. Asked again when the job changed in between. */
export type Decide = (job: ScoringJob) => JobUpdate | null | Promise<JobUpdate | null>;

/** Scoring jobs in MongoDB. Every change is one atomic write, and is told to the event bus after it. */
export interface JobStore {
  /** Stores a new job, or returns the one that has the same idempotency key. */
  insert(job: ScoringJob): Promise<{ readonly job: ScoringJob; readonly created: boolean }>;
  find(id: Types.ObjectId): Promise<ScoringJob | null>;
  /**
   * Reads the job, asks `decide`, and writes the answer if the job is still as it was read; else asks again. So a
   * decision may rest on nothing but the job it is given and what was read after that.
   * @returns the job after the change, or as it stands when `decide` answered null; null when there is no such job
   */
  change(id: Types.ObjectId, decide: Decide): Promise<ScoringJob | null>;
  /**
   * Takes the job for this process. Null when there is nothing to do: it is gone, finished, cancelled meanwhile, or
   * another worker has it. Ends a job whose attempts are used up.
   */
  claim(id: Types.ObjectId, dispatch: number): Promise<ClaimedJob | null>;
  /**
   * As `change`, but only while the claim holds. False when it no longer does.
   * @param next given the time as well, which jobs that change at the same time share, so that they can be written together
   */
  changeClaimed(
    claim: ClaimedJob,
    next: (status: JobStatus, job: ScoringJob, now: Date) => JobStatus | Promise<JobStatus>,
  ): Promise<boolean>;
  renew(claim: ClaimedJob): Promise<void>;
  /** Ends a waiting job, and asks a running one to stop, durably. A change like any other: whoever decides about the job sees it. */
  requestCancel(id: Types.ObjectId): Promise<void>;
}

interface JobStoreDependencies {
  readonly models: Models;
  readonly events: EventBus;
  /** Attempts that a job has before it fails. */
  readonly attempts: number;
  readonly leaseMs: number;
}

/** The end of a job that was begun as often as it may be. */
export const workerLost: JobFailure = {
  code: 'WORKER_LOST',
  message:
    'Every attempt ended without a result, the last one with its worker: retry the job, and if it happens again, ask your operator to look at the worker log for its id.',
};

export function createJobStore({ models, events, attempts, leaseMs }: JobStoreDependencies): JobStore {
  const { scoringJobs } = models;
  const find = groupedFind<ScoringJob>(scoringJobs, undefined, largestCohort);
  const insertOne = groupedInsert<ScoringJob>(scoringJobs);
  const compareAndSet = createCompareAndSet(models);
  // A token is one of a turn: of two claims of a job in the same turn only one can be written, and the other decides anew in a later one.
  const currentTurn = oncePerTurn(() => ({ token: randomUUID(), now: new Date() }));

  async function write(job: ScoringJob, update: JobUpdate): Promise<boolean> {
    const written = await compareAndSet({ job, ...update });
    if (written) events.publish('scoringJobChanged', { scoringJobId: job._id.toHexString() });
    return written;
  }

  /** @param known the job as last seen, to spare the first read: should it be out of date, the write does not match */
  async function change(id: Types.ObjectId, decide: Decide, known?: ScoringJob): Promise<ScoringJob | null> {
    for (let job = known ?? (await find(id)); ; job = await find(id)) {
      const update = job && (await decide(job));
      if (!job || !update) return job;
      if (await write(job, update)) return applied(job, update);
    }
  }

  return {
    find,
    change,

    async insert(job) {
      try {
        await insertOne(job);
        return { job, created: true };
      } catch (error) {
        if (!isDuplicateKey(error) || job.idempotencyKeyIndex === undefined) throw error;
        const { organization, idempotencyKeyIndex } = job;
        return {
          job: await scoringJobs.findOne({ organization, idempotencyKeyIndex }).lean<ScoringJob>().orFail(),
          created: false,
        };
      }
    },

    async claim(id, dispatch) {
      let lease: JobLease | undefined;
      const job = await change(id, (found) => {
        const { status } = found;
        const { token, now } = currentTurn();
        lease = undefined;
        if (isTerminal(status.state) || isHeldByAnother(found, dispatch, now)) return null;
        if (found.cancelRequestedAt) return { status: cancelled(status, now), unset: ['lease'] };
        if (found.attemptsThisRun >= attempts)
          return { status: failed(status, status.error ?? workerLost, now), unset: ['lease'] };
        lease = { token, dispatch, expiresAt: new Date(now.getTime() + leaseMs) };
        return { status: started(status, now), set: { lease, attemptsThisRun: found.attemptsThisRun + 1 } };
      });
      return job && lease ? { job, lease } : null;
    },

    async changeClaimed(claim, next) {
      let held = false;
      await change(
        claim.job._id,
        async (job) => {
          held = job.lease?.token === claim.lease.token && job.status.state === ScoringJobState.ACTIVE;
          if (!held) return null;
          const status = await next(job.status, job, currentTurn().now);
          return { status, unset: status.state === ScoringJobState.ACTIVE ? [] : ['lease'] };
        },
        claim.job,
      );
      return held;
    },

    async renew(claim) {
      await scoringJobs.updateOne(
        { _id: claim.job._id, 'lease.token': claim.lease.token },
        { $set: { 'lease.expiresAt': new Date(Date.now() + leaseMs) } },
      );
    },

    async requestCancel(id) {
      const job = await change(id, ({ status, cancelRequestedAt }) => {
        if (status.state === ScoringJobState.QUEUED) return { status: cancelled(status, new Date()) };
        if (isTerminal(status.state) || cancelRequestedAt) return null;
        return { status: progressed(status, {}), set: { cancelRequestedAt: new Date() } };
      });
      if (job?.cancelRequestedAt) events.publish('scoringJobCancelRequested', { scoringJobId: id.toHexString() });
    },
  };
}

/** A queue entry that comes a second time (its worker died) may take over at once; another entry waits for the lease to end. */
function isHeldByAnother(job: ScoringJob, dispatch: number, now: Date): boolean {
  return (
    job.status.state === ScoringJobState.ACTIVE &&
    job.lease !== undefined &&
    job.lease.dispatch !== dispatch &&
    job.lease.expiresAt > now
  );
}

/** The job as the update leaves it. */
function applied(job: ScoringJob, { status, set, unset = [] }: JobUpdate): ScoringJob {
  const changed = { ...job, ...set, status };
  for (const field of unset) delete changed[field];
  return changed;
}

/**
 * A value made once per turn of the event loop, the same for all who ask within the turn: what is decided at the same time
 * then has the same timestamp, and can be written as one.
 */
export function oncePerTurn<T extends object>(make: () => T): () => T {
  let present: T | undefined;
  return () => {
    if (!present) {
      present = make();
      setImmediate(() => (present = undefined));
    }
    return present;
  };
}
