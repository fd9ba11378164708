import type { Types } from 'mongoose';
import type { Logger } from 'pino';
import { isDatabaseOutage } from '../storage/database.js';
import { BadUserInputError, NotFoundError } from '../errors.js';
import type { Models, ScoringJob } from '../../models/index.js';
import type { EventBus } from '../events/event-bus.js';
import { changesSince, isTerminal, type JobChange } from './job-status.js';

/** How often open subscriptions are compared with MongoDB, whatever events came: the net under Redis. Milliseconds. */
const sweepPeriodMs = 5_000;

/** Subscribers that follow jobs, of one process. */
export interface JobStreams {
  /**
   * Follows a job to its terminal state. The first change is the job as it stands, or, after a sequence number, what
   * the subscriber has missed since. Reads MongoDB when asked for the next change and holds none back, so that a slow
   * reader costs no memory: progress folds by itself.
   * @param read the job as it stands, null when there is none for the subscriber: also later, which ends the stream
   * @throws NotFoundError when there is no such job for the subscriber, BadUserInputError for a sequence number still to come
   */
  follow(
    jobId: Types.ObjectId,
    after: number,
    read: () => Promise<ScoringJob | null>,
  ): Promise<AsyncIterableIterator<JobChange>>;
  /** Subscribers being served. */
  readonly size: number;
  close(): void;
}

interface Follower {
  readonly jobId: Types.ObjectId;
  sequence: number;
  wake(): void;
  close(): void;
}

export interface JobStreamDependencies {
  readonly models: Pick<Models, 'scoringJobs'>;
  readonly events: EventBus;
  readonly logger: Logger;
}

export function createJobStreams({ models, events, logger }: JobStreamDependencies): JobStreams {
  const followers = new Map<string, Set<Follower>>();
  let size = 0;
  const wakeAll = (): void => followers.forEach((ofJob) => ofJob.forEach((follower) => follower.wake()));
  const stopListening = [
    events.subscribe('scoringJobChanged', ({ scoringJobId }) =>
      followers.get(scoringJobId)?.forEach((follower) => follower.wake()),
    ),
    events.onGap(wakeAll),
  ];

  /** Wakes who lags behind MongoDB. One query for all. */
  async function sweep(): Promise<void> {
    const following = [...followers.values()].flatMap((ofJob) => [...ofJob]);
    if (following.length === 0) return;
    const jobs = await models.scoringJobs
      .find({ _id: { $in: following.map(({ jobId }) => jobId) } }, { 'status.sequence': 1 })
      .lean<Pick<ScoringJob, '_id' | 'status'>[]>();
    const sequences = new Map(jobs.map((job) => [job._id.toHexString(), job.status.sequence]));
    for (const follower of following) {
      if (sequences.get(follower.jobId.toHexString()) !== follower.sequence) follower.wake();
    }
  }
  const sweeper = setInterval(() => {
    sweep().catch((error: unknown) =>
      logger.warn(
        { reason: error instanceof Error ? error.name : 'unknown' },
        'subscriptions not compared with MongoDB',
      ),
    );
  }, sweepPeriodMs);
  sweeper.unref();

  function enter(jobId: Types.ObjectId): Follower & { waitForWake(): Promise<void>; readonly closed: boolean } {
    const key = jobId.toHexString();
    const ofJob = followers.get(key) ?? new Set<Follower>();
    followers.set(key, ofJob);
    let woken = false;
    let resume: (() => void) | undefined;
    const follower = {
      jobId,
      sequence: 0,
      closed: false,
      wake() {
        woken = true;
        resume?.();
      },
      async waitForWake() {
        if (!woken && !follower.closed) await new Promise<void>((resolve) => (resume = resolve));
        woken = false;
        resume = undefined;
      },
      close() {
        if (follower.closed) return;
        follower.closed = true;
        ofJob.delete(follower);
        if (ofJob.size === 0) followers.delete(key);
        size -= 1;
        resume?.();
      },
    };
    ofJob.add(follower);
    size += 1;
    return follower;
  }

  return {
    get size() {
      return size;
    },

    async follow(jobId, after, read) {
      // Listen first, then read: what happens in between wakes us.
      const follower = enter(jobId);
      const pending: JobChange[] = [];
      try {
        const job = await read();
        if (!job) throw new NotFoundError('This scoring job');
        if (after > job.status.sequence) {
          throw new BadUserInputError([
            { path: 'after', message: `must not be above the job's present sequence number, ${job.status.sequence}` },
          ]);
        }
        follower.sequence = after;
        pending.push(...changesSince(job, after));
        return iterate(follower, pending, read, isTerminal(job.status.state));
      } catch (error) {
        follower.close();
        throw error;
      }
    },

    close() {
      clearInterval(sweeper);
      stopListening.forEach((stop) => stop());
      [...followers.values()].flatMap((ofJob) => [...ofJob]).forEach((follower) => follower.close());
    },
  };
}

/**
 * An iterator whose `return` also ends a `next` that is still waiting; a bare async generator would hold it back
 * until the next event, and leak the subscriber.
 */
function iterate(
  follower: Follower & { waitForWake(): Promise<void>; readonly closed: boolean },
  pending: JobChange[],
  read: () => Promise<ScoringJob | null>,
  endedAlready: boolean,
): AsyncIterableIterator<JobChange> {
  let ended = endedAlready;
  const done = { done: true, value: undefined } as const;
  return {
    async next() {
      while (pending.length === 0) {
        if (ended || follower.closed) {
          follower.close();
          return done;
        }
        await follower.waitForWake();
        if (follower.closed) return done;
        const job = await readUnlessAway(read);
        if (job === 'away') continue;
        if (!job) ended = true;
        else {
          pending.push(...changesSince(job, follower.sequence));
          ended = isTerminal(job.status.state);
        }
      }
      const change = pending.shift()!;
      follower.sequence = change.sequence;
      return { done: false, value: change };
    },
    async return() {
      follower.close();
      return done;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** While MongoDB is away a subscriber simply waits: the sweep wakes it when there is something to tell. */
async function readUnlessAway(read: () => Promise<ScoringJob | null>): Promise<ScoringJob | null | 'away'> {
  try {
    return await read();
  } catch (error) {
    if (isDatabaseOutage(error)) return 'away';
    throw error;
  }
}
