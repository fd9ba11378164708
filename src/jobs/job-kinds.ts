/*
 * The kinds of jobs, and everything in which they differ. The table needs a line for every kind, so the compiler finds
 * what a new kind lacks. The table of queues is in `scoring-queue.ts`. The table of runners is in
 * `workers/process-entry.ts`.
 */
import {
  ScoringJobKind,
  ScoringJobState,
  type Models,
  type ScoringChunk,
  type ScoringJob,
} from '../../models/index.js';
import type { OrganizationScope } from '../scope/organization-scope.js';
import type { BatchProgress } from './batch-progress.js';
import { isTerminal } from './job-status.js';
import type { QueueEntry } from './scoring-queue.js';

/** Most entries that are added to the queue in one call. */
const entriesPerCall = 500;

/** The parts of a job's life that depend on its kind. */
interface JobKind {
  /** Tells whether the job is about one patient and ends with at most one prediction. */
  readonly ofOnePatient: boolean;
  /** Queue entries for all work of the job that is not done yet, in groups. */
  entriesOf(models: Models, job: ScoringJob): AsyncIterable<QueueEntry[]>;
  /** Tells whether a worker holds all of the job now. Then its entry need not be on the queue. */
  isHeld(job: ScoringJob, now: Date): boolean;
  /**
   * Brings the status of a job up to date, also when no worker runs it.
   * @returns the job after that
   */
  refresh(job: ScoringJob, batchProgress: BatchProgress): Promise<ScoringJob>;
  /** Prepares a finished job for another run. No worker can run the job during the call. */
  prepareRevival(job: ScoringJob, scope: OrganizationScope): Promise<void>;
}

export const jobKinds: Readonly<Record<ScoringJobKind, JobKind>> = {
  [ScoringJobKind.SINGLE]: {
    ofOnePatient: true,
    async *entriesOf(_models, job) {
      yield [{ kind: 'single', ...dispatchOf(job) }];
    },
    isHeld: ({ status, lease }, now) =>
      status.state === ScoringJobState.ACTIVE && lease !== undefined && lease.expiresAt > now,
    refresh: async (job) => job,
    prepareRevival: async () => undefined,
  },
  [ScoringJobKind.BATCH]: {
    ofOnePatient: false,
    entriesOf: chunkEntries,
    // Each chunk has its own lease: workers may hold some chunks while the entries of other chunks are lost.
    isHeld: () => false,
    refresh: async (job, batchProgress) =>
      isTerminal(job.status.state) ? job : ((await batchProgress.refresh(job._id)) ?? job),
    prepareRevival: async (job, scope) => {
      // A FAILED batch has no prediction, so every chunk of it is run again.
      if (job.status.state === ScoringJobState.FAILED) await scope.chunks(job).reopen();
      await scope.chunks(job).resetAttempts();
    },
  },
};

const dispatchOf = ({ _id, dispatch }: ScoringJob) => ({ scoringJobId: _id.toHexString(), dispatch });

/** One entry for each chunk that is not done. */
async function* chunkEntries(models: Models, job: ScoringJob): AsyncGenerator<QueueEntry[]> {
  let entries: QueueEntry[] = [];
  const chunks = models.scoringChunks
    .find({ job: job._id, done: false }, { number: 1, _id: 0 })
    .sort({ number: 1 })
    .hint({ job: 1, number: 1 })
    .lean<Pick<ScoringChunk, 'number'>[]>();
  for await (const { number } of chunks.cursor()) {
    entries.push({ kind: 'chunk', ...dispatchOf(job), chunk: number });
    if (entries.length === entriesPerCall) {
      yield entries;
      entries = [];
    }
  }
  if (entries.length > 0) yield entries;
}
