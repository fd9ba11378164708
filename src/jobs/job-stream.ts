import type { Types } from 'mongoose';
import type { Logger } from 'pino';
import { isDatabaseOutage } from '../storage/database.js';
import { BadUserInputError, NotFoundError } from '../errors.js';
import type { Models, ScoringJob } from '../../models/index.js';
import { createAsyncQueue, type AsyncQueue } from '../events/async-queue.js';
import type { EventBus } from '../events/event-bus.js';
import { changesSince, isTerminal, type JobChange } from './job-status.js';
import { logError } from '../process/logger.js';

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
  /** Of the last change that was handed to the subscriber's queue. */
  sequence: number;
  readonly changes: AsyncQueue<JobChange>;
}

interface JobStreamDependencies {
  readonly models: Pick<Models, 'scoringJobs'>;
  readonly events: EventBus;
  readonly logger: Logger;
}

export function createJobStreams({ models, events, logger }: JobStreamDependencies): JobStreams {
  const followers = new Map<string, Set<Follower>>();
  let size = 0;
  const wakeAll = (): void => followers.forEach((ofJob) => ofJob.forEach((follower) => follower.changes.wake()));
  const stopListening = [
    events.subscribe('scoringJobChanged', ({ scoringJobId }) =>
      followers.get(scoringJobId)?.forEach((follower) => follower.changes.wake()),
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
      if (sequences.get(follower.jobId.toHexString()) !== follower.sequence) follower.changes.wake();
    }
  }
  const sweeper = setInterval(() => {
    sweep().catch((error: unknown) =>
      logError(logger, error, 'subscriptions not compared with MongoDB', { level: 'warn' }),
    );
  }, sweepPeriodMs);
  sweeper.unref();

  function enter(jobId: Types.ObjectId, after: number, read: () => Promise<ScoringJob | null>): Follower {
    const key = jobId.toHexString();
    const ofJob = followers.get(key) ?? new Set<Follower>();
    const changes = createAsyncQueue<JobChange>({
      async refill() {
        const job = await readUnlessAway(read);
        if (job !== 'away') hand(follower, job);
      },
      onClose() {
        ofJob.delete(follower);
        if (ofJob.size === 0) followers.delete(key);
        size -= 1;
      },
    });
    const follower: Follower = { jobId, sequence: after, changes };
    followers.set(key, ofJob.add(follower));
    size += 1;
    return follower;
  }

  return {
    get size() {
      return size;
    },

    async follow(jobId, after, read) {
      // Listen first, then read: what happens in between wakes us.
      const follower = enter(jobId, after, read);
      try {
        const job = await read();
        if (!job) throw new NotFoundError('This scoring job');
        if (after > job.status.sequence) {
          throw new BadUserInputError([
            { path: 'after', message: `must not be above the job's present sequence number, ${job.status.sequence}` },
          ]);
        }
        hand(follower, job);
        return follower.changes;
      } catch (error) {
        follower.changes.close();
        throw error;
      }
    },

    close() {
      clearInterval(sweeper);
      stopListening.forEach((stop) => stop());
      [...followers.values()].flatMap((ofJob) => [...ofJob]).forEach(({ changes }) => changes.close());
    },
  };
}

/** Hands a subscriber the changes that it has not seen. A job that is gone, or at its end, is the last of them. */
function hand(follower: Follower, job: ScoringJob | null): void {
  const changes = job ? changesSince(job, follower.sequence) : [];
  follower.sequence = changes.at(-1)?.sequence ?? follower.sequence;
  follower.changes.push(...changes);
  if (!job || isTerminal(job.status.state)) follower.changes.finish();
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
