import type { Types } from 'mongoose';
import {
  JobStage,
  ScoringJobState,
  type JobFailure,
  type JobStatus,
  type Models,
  type ScoringChunk,
  type ScoringJob,
} from '../../models/index.js';
import { cancelled, completed, failed, isTerminal, progressed, tellsOfPatient } from './job-status.js';
import type { JobStore } from './job-store.js';

/** Brings the status of a batch up to date with its chunks. The chunks say what is really done. */
export interface BatchProgress {
  /**
   * Counts the chunks that are done, and ends the batch when all of them are. A batch without any prediction has
   * FAILED. The count is exact whenever it is made, so any process may call this at any time.
   */
  refresh(jobId: Types.ObjectId): Promise<ScoringJob | null>;
}

export function createBatchProgress(models: Models, store: JobStore): BatchProgress {
  return {
    // The chunks are read after the job, inside the decision. Chunks read earlier could belong to the time before a
    // cancellation and a retry: the batch would then be cancelled a second time.
    refresh: (jobId) =>
      store.change(jobId, async (job) => {
        const { status } = job;
        if (isTerminal(status.state)) return null;
        const cancelRequested = job.cancelRequestedAt !== undefined;
        const atWork = cancelRequested && (await isAtWork(models, jobId));
        const counts = await countDone(models, jobId);
        const now = new Date();
        if (counts.processed >= job.total) {
          const failure = counts.failed >= job.total ? await withoutSuccess(models, job) : undefined;
          return {
            status: failure ? failed({ ...status, ...counts }, failure, now) : completed(status, counts, now),
          };
        }
        // A batch is cancelled only after its last worker has stopped storing, so that the counts are final.
        if (cancelRequested) return atWork ? null : { status: cancelled({ ...status, ...counts }, now) };
        return advances(status, counts) && status.state === ScoringJobState.ACTIVE
          ? { status: progressed(status, { ...counts, stage: JobStage.SCORING }) }
          : null;
      }),
  };
}

/** Tells whether a count is new. Two processes may count at the same time: the smaller count is the older one. */
const advances = (status: JobStatus, counts: { readonly processed: number }): boolean =>
  counts.processed > status.processed;

async function countDone(models: Models, job: Types.ObjectId): Promise<{ processed: number; failed: number }> {
  // The query uses indexed fields only: MongoDB answers from the index and does not read the patients of the chunks.
  const [counts] = await models.scoringChunks.aggregate<{ processed: number; failed: number }>([
    { $match: { job, done: true } },
    { $group: { _id: null, processed: { $sum: '$size' }, failed: { $sum: '$failed' } } },
  ]);
  return { processed: counts?.processed ?? 0, failed: counts?.failed ?? 0 };
}

/**
 * The reason why a batch without any prediction has failed: that of its first patient. Callers who may not see a
 * patient read it too, so it repeats no message about the values of one.
 */
async function withoutSuccess({ scoringChunks }: Models, { _id, total }: ScoringJob): Promise<JobFailure> {
  const chunk = await scoringChunks
    .findOne({ job: _id, done: true, 'failures.0': { $exists: true } }, { failures: { $slice: 1 } })
    .sort({ number: 1 })
    .hint({ job: 1, number: 1 })
    .lean<Pick<ScoringChunk, 'failures'>>();
  const first = chunk?.failures[0];
  // The failures of a patient leave the chunk when the patient is deleted.
  if (!first) return { code: 'NOT_FOUND', message: 'All patients of the batch were deleted before they were scored.' };
  const reason = tellsOfPatient(first)
    ? '"failures" gives the reason of each one.'
    : `The reason of the first one: ${first.message}`;
  return { code: first.code, message: `None of the ${total} patients could be scored. ${reason}` };
}

/** Tells whether a worker holds a chunk of the batch. A worker that died counts until its lease ends. */
async function isAtWork(models: Models, job: Types.ObjectId): Promise<boolean> {
  return (await models.scoringChunks.exists({ job, done: false, leasedUntil: { $gt: new Date() } })) !== null;
}
