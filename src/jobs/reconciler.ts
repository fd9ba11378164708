import type { Logger } from 'pino';
import type { Models, ScoringJob } from '../../models/index.js';
import type { BatchProgress } from './batch-progress.js';
import type { JobDispatcher } from './job-dispatcher.js';
import { jobKinds } from './job-kinds.js';
import { unfinishedStates } from './job-status.js';

/** Jobs examined per round. Those that were examined longest ago come first, so that every job has its turn. */
const jobsPerRound = 1_000;

interface ReconcilerDependencies {
  readonly models: Models;
  readonly jobDispatcher: JobDispatcher;
  readonly batchProgress: BatchProgress;
  /** Time after its dispatch from which a job is expected on the queue. Milliseconds. */
  readonly graceMs: number;
  readonly logger: Logger;
}

/**
 * Puts jobs on the queue again that MongoDB has as unfinished and that Redis does not know. Such a job was accepted
 * while Redis could not be reached, or was wiped from Redis, or lost its entry together with its worker. Two processes
 * may run this at the same time.
 * @returns the number of jobs that were examined
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
    if (kind.isHeld(job, now)) continue;
    if (!(await jobDispatcher.restore(job))) {
      logger.warn('Redis cannot be reached: unfinished jobs wait in MongoDB until it is back');
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
