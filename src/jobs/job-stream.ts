import type { Connection, Types } from 'mongoose';
import type { Logger } from 'pino';
import { isDatabaseOutage, writeProbe } from '../storage/database.js';
import { createGroupCommit } from '../storage/group-commit.js';
import { BadUserInputError, NotFoundError } from '../errors.js';
import type { Models, ScoringJob } from '../../models/index.js';
import { createAsyncQueue, type AsyncQueue } from '../events/async-queue.js';
import type { EventBus } from '../events/event-bus.js';
import { createJobListStreams, type JobListStreams } from './job-list-stream.js';
import { changesSince, isTerminal, type JobChange } from './job-status.js';
import { logError } from '../process/logger.js';

/**
 * Time from a change of a job to the next look at it, milliseconds. Most single jobs end within it, and are then read
 * once. The end of a job is looked at without this wait.
 */
const defaultGatheringMs = 100;
/** Period between two comparisons of all subscriptions with MongoDB, in case Redis lost an event. Milliseconds. */
const sweepPeriodMs = 5_000;

/** The facts that a stream gives to the function that reads a job. */
interface FollowedReading {
  /** The job is read again after null, so null is no refusal yet. */
  readonly isTry: boolean;
  /** How the job has ended, as an event told. It may be wrong. */
  readonly end?: JobEnd;
}

/** OTHER is each end that is not COMPLETED, and one that is not known. */
type JobEnd = 'COMPLETED' | 'OTHER';

/** Reads the present job for a subscriber. */
export type ReadFollowedJob = (reading: FollowedReading) => Promise<ScoringJob | null>;

/** The subscribers of this process that follow jobs. */
export interface JobStreams {
  /**
   * Follows a job to its terminal state. Without a sequence number, the first change is the present status of the job.
   * With one, the first changes are those that the subscriber has missed since. MongoDB is read when the subscriber
   * asks for the next change, and changes are not stored meanwhile. So a slow reader costs no memory, and gets folded
   * progress.
   * @param after sequence number of the last change that the subscriber has seen, 0 for none
   * @param read returns the present job, or null when the subscriber may not see one; a later null ends the stream.
   *   It returns no change that a failover may undo. Just after one it may return less than was seen before, or nothing
   * @throws NotFoundError when the subscriber may see no such job, BadUserInputError for a sequence number in the
   *   future
   */
  follow(jobId: Types.ObjectId, after: number, read: ReadFollowedJob): Promise<AsyncIterableIterator<JobChange>>;
  /** Follows the jobs of a list: see job-list-stream.ts. */
  readonly followList: JobListStreams['follow'];
  /** Number of subscribers. */
  readonly size: number;
  /** Number of subscribers to lists. */
  readonly listSize: number;
  close(): void;
}

interface Follower {
  readonly jobId: Types.ObjectId;
  /** Sequence number of the last change that was put into the subscriber's queue. */
  sequence: number;
  /** How the job has ended, as an event told. */
  end?: JobEnd;
  readonly changes: AsyncQueue<JobChange>;
}

interface JobStreamDependencies {
  readonly database: Connection;
  readonly models: Pick<Models, 'scoringJobs'>;
  readonly events: EventBus;
  readonly logger: Logger;
  /** @defaultValue 100 */
  readonly gatheringMs?: number;
}

export function createJobStreams({
  database,
  models,
  events,
  logger,
  gatheringMs = defaultGatheringMs,
}: JobStreamDependencies): JobStreams {
  const lists = createJobListStreams({ models, events, logger });
  const followers = new Map<string, Set<Follower>>();
  let size = 0;
  const gathered = new Set<string>();
  let gathering: NodeJS.Timeout | undefined;
  const wake = (jobId: string): void => followers.get(jobId)?.forEach((follower) => follower.changes.wake());
  function wakeGathered(): void {
    gathering = undefined;
    gathered.forEach(wake);
    gathered.clear();
  }
  const wakeAll = (): void => followers.forEach((ofJob) => ofJob.forEach((follower) => follower.changes.wake()));
  const stopListening = [
    events.subscribe('scoringJobChanged', ({ scoringJobId, ended, completed }) => {
      if (ended) {
        gathered.delete(scoringJobId);
        followers.get(scoringJobId)?.forEach((follower) => (follower.end = completed ? 'COMPLETED' : 'OTHER'));
        wake(scoringJobId);
      } else if (followers.has(scoringJobId)) {
        gathered.add(scoringJobId);
        gathering ??= setTimeout(wakeGathered, gatheringMs);
      }
    }),
    events.onGap(wakeAll),
  ];

  /** Wakes the subscribers that are behind MongoDB, with one query for all of them. */
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
  /** Ends when a majority of the database has the present. A read after that knows all that was ever shown. */
  const catchUp = createGroupCommit<void, void>(async (calls) => {
    await writeProbe(database);
    return calls.map(() => ({ value: undefined }));
  });
  const sweeper = setInterval(() => {
    sweep().catch((error: unknown) =>
      logError(logger, error, 'job subscriptions could not be compared with MongoDB', { level: 'warn' }),
    );
  }, sweepPeriodMs);
  sweeper.unref();

  function enter(jobId: Types.ObjectId, after: number, read: ReadFollowedJob): Follower {
    const key = jobId.toHexString();
    const ofJob = followers.get(key) ?? new Set<Follower>();
    const changes = createAsyncQueue<JobChange>({
      async refill() {
        const job = await readUnlessAway(() => read({ isTry: false, end: follower.end }));
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
    get listSize() {
      return lists.size;
    },
    followList: lists.follow,

    async follow(jobId, after, read) {
      // The follower listens before the job is read, so that a change in between wakes it.
      const follower = enter(jobId, after, read);
      try {
        let job = await read({ isTry: true, end: follower.end });
        if (!job || after > job.status.sequence) {
          // A primary that was elected just now, or one that does not know yet that it is none, may know less.
          await catchUp();
          job = await read({ isTry: false, end: follower.end });
        }
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
      lists.close();
      clearInterval(sweeper);
      clearTimeout(gathering);
      stopListening.forEach((stop) => stop());
      [...followers.values()].flatMap((ofJob) => [...ofJob]).forEach(({ changes }) => changes.close());
    },
  };
}

/** Gives a subscriber the changes that it has not seen. The stream ends when the job was deleted or has ended. */
function hand(follower: Follower, job: ScoringJob | null): void {
  // The answer of a primary that knows less than was handed over already. The sweep wakes the follower again.
  if (job && job.status.sequence < follower.sequence) return;
  const changes = job ? changesSince(job, follower.sequence) : [];
  follower.sequence = changes.at(-1)?.sequence ?? follower.sequence;
  follower.changes.push(...changes);
  if (!job || isTerminal(job.status.state)) follower.changes.finish();
}

/**
 * Reads the job. While MongoDB cannot be reached, the subscriber waits: a later sweep wakes it when the job changed.
 */
async function readUnlessAway(read: () => Promise<ScoringJob | null>): Promise<ScoringJob | null | 'away'> {
  try {
    return await read();
  } catch (error) {
    if (isDatabaseOutage(error)) return 'away';
    throw error;
  }
}
