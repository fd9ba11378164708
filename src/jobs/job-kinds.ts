/*
 * The kinds of jobs, and all in which they differ. The table needs a line for every kind, so the compiler finds what a
 * new kind lacks. The table of the queues is in `scoring-queue.ts`, that of the runners in `workers/process-entry.ts`.
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

/** Entries that the queue gets at a time. */
const entriesPerCall = 500;

/** The part of a job's life that depends on its kind. */
interface JobKind {
  /** Whether the job is about one patient and ends with at most one prediction. */
  readonly ofOnePatient: boolean;
  /** Queue entries of all work of the job that is not done yet, some at a time. */
  entriesOf(models: Models, job: ScoringJob): AsyncIterable<QueueEntry[]>;
  /** Whether a worker still answers for the job, so that its entry need not be on the queue. */
  isInGoodHands(job: ScoringJob, now: Date): boolean;
  /**
   * Brings a job up to date that no worker may be running.
   * @returns the job as it stands then
   */
  refresh(job: ScoringJob, batchProgress: BatchProgress): Promise<ScoringJob>;
  /** Prepares a finished job for another run. Called while no worker can run it. */
  prepareRevival(job: ScoringJob, scope: OrganizationScope): Promise<void>;
}

export const jobKinds: Readonly<Record<ScoringJobKind, JobKind>> = {
  [ScoringJobKind.SINGLE]: {
    ofOnePatient: true,
    async *entriesOf(_models, job) {
      yield [{ kind: 'single', ...dispatchOf(job) }];
    },
    isInGoodHands: ({ status, lease }, now) =>
      status.state === ScoringJobState.ACTIVE && lease !== undefined && lease.expiresAt > now,
    refresh: async (job) => job,
    prepareRevival: async () => undefined,
  },
  [ScoringJobKind.BATCH]: {
    ofOnePatient: false,
    entriesOf: chunkEntries,
    // Each chunk has its own lease: some may be held while the entries of others are lost.
    isInGoodHands: () => false,
    refresh: async (job, batchProgress) =>
      isTerminal(job.status.state) ? job : ((await batchProgress.refresh(job._id)) ?? job),
    prepareRevival: (job, scope) => scope.chunks(job).resetAttempts(),
  },
};

const dispatchOf = ({ _id, dispatch }: ScoringJob) => ({ scoringJobId: _id.toHexString(), dispatch });

/** An entry for each chunk that is not done. */
async function* chunkEntries(models: Models, job: ScoringJob): AsyncGenerator<QueueEntry[]> {
  let entries: QueueEntry[] = [];
  const chunks = models.scoringChunks
    .find({ job: job._id, done: false }, { number: 1, _id: 0 })
    .sort({ number: 1 })
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
