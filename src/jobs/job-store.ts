/*
 * Scoring jobs in MongoDB: how they are stored, changed and taken by workers.
 *
 * Lease: a worker's right to run a job, written in the job with a token and an end. Its holder renews it. After the end
 *   another worker may take the job over. Then the first worker can no longer change the job.
 * Claim: to take a job for this process, by writing a new lease into it. A claim is also the
 *   taken job, together with its lease.
 *
 * How a job is changed:
 * 1. The job is read.
 * 2. The caller's `decide` returns the change, or null for none.
 * 3. The change is written if the job is still as it was read. If not, the steps start again.
 * 4. The event bus publishes that the job has changed.
 */
import { randomUUID } from 'node:crypto';
import type { Types } from 'mongoose';
import {
  ScoringJobState,
  type JobFailure,
  type JobLease,
  type JobStatus,
  type Models,
  type Prediction,
  type ScoringJob,
} from '../../models/index.js';
import { isDuplicateKey } from '../storage/database.js';
import type { EventBus } from '../events/event-bus.js';
import type { Metrics } from '../process/metrics.js';
import { noTracing, type Tracing } from '../process/tracing.js';
import { groupedFind, groupedInsert, largestCohort } from '../storage/group-queries.js';
import { applied, createCompareAndSet, type JobChangeRequest, type JobUpdate } from './compare-and-set.js';
import type { Completions } from './completions.js';
import type { SubmittedJobs } from './submitted-jobs.js';
import { createFirstClaims, firstClaimOf } from './first-claims.js';
import { cancelled, completed, failed, isTerminal, progressed, started, submitted } from './job-status.js';

/** A job that this process may run until another worker takes the lease. */
export interface ClaimedJob {
  readonly job: ScoringJob;
  readonly lease: JobLease;
}

/** Returns the change to be made to a job, or null for none. It is called again when the job changed meanwhile. */
export type Decide = (job: ScoringJob) => JobUpdate | null | Promise<JobUpdate | null>;

/** Scoring jobs in MongoDB. Every change is one atomic write, and is published on the event bus after that. */
export interface JobStore {
  /** Adds the trace of the present request to a new job. */
  traced(job: ScoringJob): ScoringJob;
  /**
   * Stores a new job, or returns the stored job with the same idempotency key.
   * @param put inserts the job; it rejects when a unique index refuses it
   */
  insert(
    job: ScoringJob,
    put?: (job: ScoringJob) => Promise<void>,
  ): Promise<{ readonly job: ScoringJob; readonly created: boolean }>;
  find(id: Types.ObjectId): Promise<ScoringJob | null>;
  /**
   * Reads the job, calls `decide`, and writes the result if the job is still as it was read. If not, it starts again.
   * So `decide` may use only the job that it is given, and data that it reads after that.
   * @returns the job after the change, or the unchanged job when `decide` returned null; null when there is no such job
   */
  change(id: Types.ObjectId, decide: Decide): Promise<ScoringJob | null>;
  /**
   * Takes the job for this process. A job that is to be cancelled becomes CANCELLED instead, and a job whose attempts
   * are used up becomes FAILED.
   * @returns null when there is nothing to do: the job is deleted, has ended, was cancelled, or another worker holds it
   */
  claim(id: Types.ObjectId, dispatch: number): Promise<ClaimedJob | null>;
  /** Takes a job that is still as it was submitted. @returns null when the job is no longer so */
  claimNew(id: Types.ObjectId): Promise<ClaimedJob | null>;
  /**
   * Works like `change`, but only while the claim holds.
   * @param next gets the time as well. Jobs that change in the same turn of the event loop get the same timestamp, so
   *   that they can be written together
   * @returns false when the claim no longer holds
   */
  changeClaimed(
    claim: ClaimedJob,
    next: (status: JobStatus, job: ScoringJob, now: Date) => JobStatus | Promise<JobStatus>,
  ): Promise<boolean>;
  /**
   * Stores the prediction of a claimed job of one patient, and its latest result, and ends the job as COMPLETED, in one
   * write, if the job is still as this process knows it.
   * @returns false when that is not so, or when MongoDB cannot do it in one write. Then any of it may be stored: store the
   *   prediction and change the job one after the other
   */
  complete(claim: ClaimedJob, prediction: Prediction): Promise<boolean>;
  /**
   * Does the same as `complete` for a job that is still as it was submitted and was not claimed: it is claimed in the same
   * write. `begunAt` is the time at which the work began.
   * @returns true when the job has ended. If not, the claim, if the job was claimed by this; null when it was not
   */
  completeNew(job: ScoringJob, begunAt: Date, prediction: Prediction): Promise<true | ClaimedJob | null>;
  /** Extends the lease, if the claim still holds. */
  renew(claim: ClaimedJob): Promise<void>;
  /**
   * Tells whether the claim still holds. MongoDB is asked only when the lease was not renewed for half of its time. No other
   * worker takes the job before that.
   */
  holds(claim: ClaimedJob): Promise<boolean>;
  /**
   * Ends a waiting job, or stores in a running job that it is to stop. This is a change like any other, so every later
   * `decide` sees it.
   */
  requestCancel(id: Types.ObjectId): Promise<void>;
}

interface JobStoreDependencies {
  readonly models: Models;
  readonly events: EventBus;
  /** Attempts that a job has before it fails. */
  readonly attempts: number;
  readonly leaseMs: number;
  /** @defaultValue jobs are never completed in one write */
  readonly completions?: Completions;
  /** Tells whether a webhook is to be sent when a job of the organization ends. */
  readonly announces: (organization: Types.ObjectId) => boolean;
  /** Is told of each change. */
  readonly submittedJobs?: Pick<SubmittedJobs, 'noteChange'>;
  readonly metrics: JobMetrics;
  /** @defaultValue no traces */
  readonly tracing?: Pick<Tracing, 'traceparent'>;
}

/** The metrics of the life of jobs. */
type JobMetrics = Pick<Metrics, 'jobsSubmitted' | 'jobsEnded' | 'jobDuration' | 'jobWait' | 'attempts' | 'takeovers'>;

/** The failure of a job that has used up its attempts because its workers died. */
export const workerLost: JobFailure = {
  code: 'WORKER_LOST',
  message:
    'Every attempt to run this job ended without a result, and the worker of the last attempt died: retry the job. ' +
    'If this happens again, ask your operator to look for the id of the job in the worker log.',
};

export function createJobStore({
  models,
  events,
  attempts,
  leaseMs,
  completions,
  announces,
  submittedJobs,
  metrics,
  tracing = noTracing,
}: JobStoreDependencies): JobStore {
  const { scoringJobs } = models;
  const find = groupedFind<ScoringJob>(scoringJobs, undefined, largestCohort);
  const insertOne = groupedInsert<ScoringJob>(scoringJobs);
  const compareAndSet = createCompareAndSet(models);
  const firstClaims = createFirstClaims({ scoringJobs, find, compareAndSet });
  // All claims of one turn share a token. This is safe: of two claims of one job in the same turn only one is written.
  // The other one decides again in a later turn, with another token.
  const currentTurn = oncePerTurn(() => ({ token: randomUUID(), now: new Date() }));
  function newLease(dispatch: number): JobLease {
    const { token, now } = currentTurn();
    return { token, dispatch, expiresAt: new Date(now.getTime() + leaseMs) };
  }

  function tell({ _id, organization }: ScoringJob, { state, sequence }: JobStatus): void {
    const scoringJobId = _id.toHexString();
    submittedJobs?.noteChange(scoringJobId, sequence);
    events.publish('scoringJobChanged', {
      scoringJobId,
      organizationId: organization.toHexString(),
      sequence,
      ended: isTerminal(state),
      completed: state === ScoringJobState.COMPLETED,
    });
  }

  /** Jobs as their claims have changed them, so that the next change does not begin with an earlier state. */
  const changedByClaim = new WeakMap<ClaimedJob, ScoringJob>();
  const knownOf = (claim: ClaimedJob): ScoringJob => changedByClaim.get(claim) ?? claim.job;
  const isHeldBy = ({ lease, status }: ScoringJob, claim: ClaimedJob): boolean =>
    lease?.token === claim.lease.token && status.state === ScoringJobState.ACTIVE;

  async function write(
    job: ScoringJob,
    update: JobUpdate,
    put: (request: JobChangeRequest) => Promise<boolean> = compareAndSet,
  ): Promise<boolean> {
    const { status } = update;
    const ends = isTerminal(status.state) && status.state !== job.status.state;
    // In the same write, so that no crash comes between the end of the job and its webhook.
    const due = ends && announces(job.organization) ? { webhookDue: status.finishedAt } : undefined;
    const written = await put({ job, ...update, ...(due && { set: { ...update.set, ...due } }) });
    if (written) {
      tell(job, status);
      count(metrics, job, status);
    }
    if (written && due) events.publish('webhooksDue', {});
    return written;
  }

  /**
   * @param known the job as last read; with it, the first read is left out. If the job has changed since, the write
   *   matches nothing, and the job is read again.
   */
  async function change(id: Types.ObjectId, decide: Decide, known?: ScoringJob): Promise<ScoringJob | null> {
    for (let job = known ?? (await find(id)); ; job = await find(id)) {
      const update = job && (await decide(job));
      if (!job || !update) return job;
      if (await write(job, update)) return applied(job, update);
    }
  }

  async function claimNew(id: Types.ObjectId): Promise<ClaimedJob | null> {
    const { now } = currentTurn();
    const lease = newLease(firstDispatch);
    const job = await firstClaims({ id, lease, now });
    if (!job) return null;
    const before = submitted();
    const status = started(before, now);
    tell(job, status);
    count(metrics, { ...job, status: before }, status);
    return { job, lease };
  }

  return {
    find,
    change,
    claimNew,

    traced(job) {
      const traceparent = tracing.traceparent();
      return traceparent === undefined ? job : { ...job, traceparent };
    },

    async insert(job, put = insertOne) {
      try {
        await put(job);
        tell(job, job.status);
        metrics.jobsSubmitted.inc({ kind: job.kind });
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
      const first = dispatch === firstDispatch ? await claimNew(id) : null;
      if (first) return first;
      let lease: JobLease | undefined;
      const job = await change(id, (found) => {
        const { status } = found;
        const { now } = currentTurn();
        lease = undefined;
        if (isTerminal(status.state) || isHeldByAnother(found, dispatch, now)) return null;
        if (found.cancelRequestedAt) return { status: cancelled(status, now), unset: ['lease'] };
        if (found.attemptsThisRun >= attempts)
          return { status: failed(status, status.error ?? workerLost, now), unset: ['lease'] };
        lease = newLease(dispatch);
        return { status: started(status, now), set: { lease, attemptsThisRun: found.attemptsThisRun + 1 } };
      });
      return job && lease ? { job, lease } : null;
    },

    async changeClaimed(claim, next) {
      let held = false;
      const job = await change(
        claim.job._id,
        async (present) => {
          held = isHeldBy(present, claim);
          if (!held) return null;
          const status = await next(present.status, present, currentTurn().now);
          return { status, unset: status.state === ScoringJobState.ACTIVE ? [] : ['lease'] };
        },
        knownOf(claim),
      );
      if (job) changedByClaim.set(claim, job);
      return held;
    },

    async complete(claim, prediction) {
      const job = knownOf(claim);
      if (!completions || !isHeldBy(job, claim) || job.cancelRequestedAt) return false;
      const status = completed(job.status, { processed: 1, failed: 0 }, currentTurn().now);
      return write(job, { status, unset: ['lease'] }, (request) => completions({ ...request, prediction }));
    },

    async completeNew(job, begunAt, prediction) {
      if (!completions) return null;
      const lease = newLease(firstDispatch);
      const claim = firstClaimOf({ id: job._id, lease, now: begunAt });
      const claimed = applied(job, claim);
      const status = completed(claimed.status, { processed: 1, failed: 0 }, currentTurn().now);
      const ended = await write(claimed, { status, unset: ['lease'] }, (request) =>
        completions({ ...request, prediction, claim }),
      );
      if (ended) {
        count(metrics, job, claim.status);
        return true;
      }
      const present = await find(job._id);
      return present && isHeldBy(present, { job: present, lease }) ? { job: present, lease } : null;
    },

    async renew(claim) {
      const expiresAt = new Date(Date.now() + leaseMs);
      const { matchedCount } = await scoringJobs.updateOne(
        { _id: claim.job._id, 'lease.token': claim.lease.token },
        { $set: { 'lease.expiresAt': expiresAt } },
      );
      if (matchedCount > 0) changedByClaim.set(claim, { ...knownOf(claim), lease: { ...claim.lease, expiresAt } });
    },

    async holds(claim) {
      const { lease } = knownOf(claim);
      if (lease && lease.expiresAt.getTime() - leaseMs / 2 > Date.now()) return true;
      const job = await find(claim.job._id);
      return job !== null && isHeldBy(job, claim);
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

/** The number of the dispatch at submission. */
const firstDispatch = 1;

/**
 * Tells whether another worker holds the job. A queue entry that is delivered a second time may take over at once,
 * because its worker died. An entry of another dispatch waits until the lease ends.
 */
function isHeldByAnother(job: ScoringJob, dispatch: number, now: Date): boolean {
  return (
    job.status.state === ScoringJobState.ACTIVE &&
    job.lease !== undefined &&
    job.lease.dispatch !== dispatch &&
    job.lease.expiresAt > now
  );
}

/** Counts a change of a job's state. */
function count(metrics: JobMetrics, job: ScoringJob, { state, attempts, startedAt, finishedAt }: JobStatus): void {
  const { kind } = job;
  const secondsUntil = (end: Date, since: Date): number => Math.max(0, (end.getTime() - since.getTime()) / 1_000);
  if (attempts > job.status.attempts) {
    metrics.attempts.inc({ kind });
    if (job.status.state === ScoringJobState.ACTIVE) metrics.takeovers.inc({ kind });
    if (attempts === 1 && startedAt) metrics.jobWait.observe({ kind }, secondsUntil(startedAt, job.submittedAt));
  }
  if (!isTerminal(state) || state === job.status.state || !finishedAt) return;
  metrics.jobsEnded.inc({ kind, state });
  // The last dispatch of a job that was tried again by hand is later than its submission.
  const since = job.dispatch > 1 ? job.dispatchedAt : job.submittedAt;
  metrics.jobDuration.observe({ kind, state }, secondsUntil(finishedAt, since));
}

/**
 * Makes a value once per turn of the event loop and returns it to all calls of that turn. So changes that are decided
 * at the same time have the same timestamp, and can be written together.
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
