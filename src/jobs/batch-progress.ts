import type { Types } from 'mongoose';
import { JobStage, ScoringJobState, type JobStatus, type Models, type ScoringJob } from '../../models/index.js';
import { cancelled, completed, isTerminal, progressed } from './job-status.js';
import type { JobStore } from './job-store.js';

/** Brings a batch's own status up to date with its chunks, which are the truth about what is done. */
export interface BatchProgress {
  /** Counts the chunks that are done, and ends the batch when all are. Exact whenever it runs, so any process may, at any time. */
  refresh(jobId: Types.ObjectId): Promise<ScoringJob | null>;
}

export function createBatchProgress(models: Models, store: JobStore): BatchProgress {
  return {
    // Everything is read after the job and for that very state of it: were it read before, a batch that was cancelled and
    // retried meanwhile would be cancelled once more.
    refresh: (jobId) =>
      store.change(jobId, async (job) => {
        const { status } = job;
        if (isTerminal(status.state)) return null;
        const cancelRequested = job.cancelRequestedAt !== undefined;
        const atWork = cancelRequested && (await isAtWork(models, jobId));
        const counts = await countDone(models, jobId);
        const now = new Date();
        if (counts.processed >= job.total) return { status: completed(status, counts, now) };
        // Cancelled once nobody stores anything any more, so that the counts are final.
        if (cancelRequested) return atWork ? null : { status: cancelled({ ...status, ...counts }, now) };
        return advances(status, counts) && status.state === ScoringJobState.ACTIVE
          ? { status: progressed(status, { ...counts, stage: JobStage.SCORING }) }
          : null;
      }),
  };
}

/** Two processes may count at the same moment: the smaller count came earlier and is old news. */
const advances = (status: JobStatus, counts: { readonly processed: number }): boolean =>
  counts.processed > status.processed;

async function countDone(models: Models, job: Types.ObjectId): Promise<{ processed: number; failed: number }> {
  // Only indexed fields: the index alone answers, the patients of the chunks are not read.
  const [counts] = await models.scoringChunks.aggregate<{ processed: number; failed: number }>([
    { $match: { job, done: true } },
    { $group: { _id: null, processed: { $sum: '$size' }, failed: { $sum: '$failed' } } },
  ]);
  return { processed: counts?.processed ?? 0, failed: counts?.failed ?? 0 };
}

/** Whether a worker holds a chunk of the batch. One that died is waited for until its lease ends. */
async function isAtWork(models: Models, job: Types.ObjectId): Promise<boolean> {
  return (await models.scoringChunks.exists({ job, done: false, leasedUntil: { $gt: new Date() } })) !== null;
}
