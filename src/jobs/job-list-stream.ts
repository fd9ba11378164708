/*
 * Subscriptions to lists of jobs.
 *
 * 1. An event says that a job of an organization has changed, and nothing else.
 * 2. The ids of changed jobs are gathered for a tenth of a second. So a job with fast progress is read, and sent, at
 *    most ten times per second.
 * 3. Each follower of the organization remembers the ids. When its reader asks for the next change, the jobs are read.
 *    Followers who ask at the same time share one read.
 * 4. What the follower's viewer may not see is left out, and so is what does not match its filter.
 * 5. Of each job the follower knows the number of the last change that it has sent. It sends every change of state since
 *    then; progress is folded.
 */
import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import { Types } from 'mongoose';
import type { Logger } from 'pino';
import type { Models, ScoringJob } from '../../models/index.js';
import { ServiceUnavailableError } from '../errors.js';
import { createAsyncQueue, type AsyncQueue } from '../events/async-queue.js';
import type { EventBus } from '../events/event-bus.js';
import { logError } from '../process/logger.js';
import { isDatabaseOutage } from '../storage/database.js';
import { changesSince, unfinishedStates, type JobChange } from './job-status.js';

/** Time for which ids of changed jobs are gathered, milliseconds. */
const gatheringMs = 100;
/** Period after which followers look again for jobs that they could not read. Milliseconds. */
const retryPeriodMs = 5_000;
/** Most jobs that one follower has still to read. The subscription of a slower reader ends with an error. */
const mostPending = 10_000;
/** Most jobs of which one follower remembers the last change. The next change of another one counts as its first. */
const mostRemembered = 10_000;
/** Most jobs that one follower reads at once. */
const mostAtOnce = 100;
/** Jobs of an organization that are looked at again when events may have been lost, and how long they have ended. */
const mostAfterGap = 1_000;
const endedBeforeGapMs = 120_000;

/** A job that a subscriber may see. */
export interface SelectedJob {
  readonly job: ScoringJob;
  /** Whether the job, as it stands, is in the list that the subscriber follows. */
  readonly matches: boolean;
}

/** Selects the jobs that a subscriber may see, of some of its organization. */
export type SelectJobs = (jobs: readonly ScoringJob[]) => Promise<readonly SelectedJob[]>;

export interface JobListStreams {
  /**
   * Follows the jobs of an organization. A job that leaves the list is sent once more, as it left.
   * @throws nothing; the stream ends with SERVICE_UNAVAILABLE when its reader is too slow
   */
  follow(organizationId: string, select: SelectJobs): AsyncIterableIterator<JobChange>;
  /** Number of subscribers. */
  readonly size: number;
  close(): void;
}

interface Follower {
  readonly pending: Set<string>;
  readonly changes: AsyncQueue<JobChange>;
}

interface JobListStreamDependencies {
  readonly models: Pick<Models, 'scoringJobs'>;
  readonly events: EventBus;
  readonly logger: Logger;
}

export function createJobListStreams({ models, events, logger }: JobListStreamDependencies): JobListStreams {
  const followers = new Map<string, Set<Follower>>();
  let size = 0;
  const gathered = new Map<string, Set<string>>();
  let gathering: NodeJS.Timeout | undefined;

  const jobs = new DataLoader(readJobs, { cache: false, maxBatchSize: mostPending });
  async function readJobs(ids: readonly string[]): Promise<(ScoringJob | null)[]> {
    const _id = { $in: [...new Set(ids)].map((id) => new Types.ObjectId(id)) };
    const found = await models.scoringJobs.find({ _id }).lean<ScoringJob[]>();
    const byId = new Map(found.map((job) => [job._id.toHexString(), job]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  function hand(organizationId: string, ids: Iterable<string>): void {
    const known = [...ids];
    for (const { pending, changes } of followers.get(organizationId) ?? []) {
      for (const id of known) pending.add(id);
      if (pending.size > mostPending) changes.fail(tooSlow);
      else changes.wake();
    }
  }
  function handAll(): void {
    gathering = undefined;
    const all = [...gathered];
    gathered.clear();
    for (const [organizationId, ids] of all) hand(organizationId, ids);
  }

  /** Looks again at the jobs whose events may have been lost: those under way, and those that ended just now. */
  async function readAfterGap(organizationId: string): Promise<void> {
    const organization = new Types.ObjectId(organizationId);
    const since = new Date(Date.now() - endedBeforeGapMs);
    const [unfinished, ended] = await Promise.all(
      [
        { organization, 'status.state': { $in: [...unfinishedStates] } },
        { organization, 'status.finishedAt': { $gt: since } },
      ].map((query) =>
        models.scoringJobs
          .find(query, { _id: 1 })
          .sort({ _id: -1 })
          .limit(mostAfterGap)
          .lean<Pick<ScoringJob, '_id'>[]>(),
      ),
    );
    hand(
      organizationId,
      [...unfinished!, ...ended!].map(({ _id }) => _id.toHexString()),
    );
  }

  const stopListening = [
    events.subscribe('scoringJobChanged', ({ scoringJobId, organizationId }) => {
      if (!followers.has(organizationId)) return;
      gathered.set(organizationId, (gathered.get(organizationId) ?? new Set()).add(scoringJobId));
      gathering ??= setTimeout(handAll, gatheringMs);
    }),
    events.onGap(() => {
      for (const organizationId of followers.keys())
        readAfterGap(organizationId).catch((error: unknown) =>
          logError(logger, error, 'lists of jobs could not be read again', { level: 'warn', organizationId }),
        );
    }),
  ];
  const retrying = setInterval(() => {
    for (const ofOne of followers.values())
      for (const { pending, changes } of ofOne) if (pending.size > 0) changes.wake();
  }, retryPeriodMs);
  retrying.unref();

  return {
    get size() {
      return size;
    },
    follow(organizationId, select) {
      const ofOne = followers.get(organizationId) ?? new Set<Follower>();
      const pending = new Set<string>();
      const sent = new LRUCache<string, number>({ max: mostRemembered });
      const begun = new Date();
      const changes = createAsyncQueue<JobChange>({
        async refill() {
          const ids = [...pending].slice(0, mostAtOnce);
          ids.forEach((id) => pending.delete(id));
          try {
            const found = await Promise.all(ids.map((id) => jobs.load(id)));
            const selected = await select(found.filter((job) => job !== null));
            changes.push(...selected.flatMap((one) => changesOf(one, sent, begun)));
          } catch (error) {
            // While MongoDB cannot be reached, the follower waits, and reads the same jobs later.
            if (!isDatabaseOutage(error)) throw error;
            ids.forEach((id) => pending.add(id));
            return;
          }
          if (pending.size > 0) changes.wake();
        },
        onClose() {
          ofOne.delete(follower);
          if (ofOne.size === 0) followers.delete(organizationId);
          size -= 1;
        },
      });
      const follower: Follower = { pending, changes };
      followers.set(organizationId, ofOne.add(follower));
      size += 1;
      return changes;
    },
    close() {
      clearInterval(retrying);
      clearTimeout(gathering);
      stopListening.forEach((stop) => stop());
      [...followers.values()].flatMap((ofOne) => [...ofOne]).forEach(({ changes }) => changes.close());
    },
  };
}

/**
 * The changes of a job that its follower has not sent yet. A job that was submitted since the follower began is told from
 * its beginning, however late it is read.
 * @param sent numbers of the last changes sent, by job
 */
function changesOf({ job, matches }: SelectedJob, sent: LRUCache<string, number>, begun: Date): JobChange[] {
  const id = job._id.toHexString();
  const last = sent.get(id);
  // A failover undid changes that were sent, and were not on a majority yet. What follows has later numbers.
  if (last !== undefined && job.status.sequence < last) return [];
  if (!matches && last === undefined) return [];
  if (matches) sent.set(id, job.status.sequence);
  else sent.delete(id);
  return changesSince(job, last ?? 0, { fromBeginning: job.submittedAt >= begun });
}

const tooSlow = new ServiceUnavailableError(
  'This subscription is too far behind: subscribe again, and then read the list with scoringJobs.',
);
