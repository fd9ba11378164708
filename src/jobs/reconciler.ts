import type { Logger } from 'pino';
import type { Models, ScoringJob } from '../../models/index.js';
import type { BatchProgress } from './batch-progress.js';
import type { JobDispatcher } from './job-dispatcher.js';
import { jobKinds } from './job-kinds.js';
import { unfinishedStates } from './job-status.js';

/** Jobs looked at per round; the least recently looked at come first, so that every job has its turn. */
const jobsPerRound = 1_000;

export interface ReconcilerDependencies {
  readonly models: Models;
  readonly jobDispatcher: JobDispatcher;
  readonly batchProgress: BatchProgress;
  /** A job that was put on the queue this long ago must be there, milliseconds. */
  readonly graceMs: number;
  readonly logger: Logger;
}

/**
 * Puts back on the queue what MongoDB says is unfinished and Redis does not know: jobs accepted while Redis was away, or
 * wiped from it, or whose worker died together with their entry. Running it twice at once does no harm.
 * @returns how many jobs were looked at
 */
export async function reconcile({
  models,
  jobDispatcher,
  batchProgress,
  graceMs,
  logger,
}: ReconcilerDependencies): Promise<number> {
  const now = new Date();
  const unfinished = await models.scoringJobs
    .find({ 'status.state': { $in: unfinishedStates }, dispatchedAt: { $lt: new Date(now.getTime() - graceMs) } })
    .sort({ dispatchedAt: 1 })
    .limit(jobsPerRound)
    .lean<ScoringJob[]>();
  for (const job of unfinished) {
    const kind = jobKinds[job.kind];
    if (kind.isInGoodHands(job, now)) continue;
    if (!(await jobDispatcher.restore(job))) {
      logger.warn('Redis is away: jobs wait in MongoDB');
      return 0;
    }
    await kind.refresh(job, batchProgress);
  }
  await models.scoringJobs.updateMany(
    { _id: { $in: unfinished.map(({ _id }) => _id) }, 'status.state': { $in: unfinishedStates } },
    { $set: { dispatchedAt: now } },
  );
  return unfinished.length;
}
