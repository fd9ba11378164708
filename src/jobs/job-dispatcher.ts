/*
 * Dispatch: to put the work of an accepted job on the queue. The job counts its dispatches: one at submission, and one
 * for each retry by hand. The number is part of every queue entry, so entries of two dispatches never have the same id.
 */
import type { Models, ScoringJob } from '../../models/index.js';
import type { Metrics } from '../process/metrics.js';
import { noTracing, type Tracing } from '../process/tracing.js';
import { jobKinds } from './job-kinds.js';
import type { QueueEntry, ScoringQueue } from './scoring-queue.js';

/** Puts accepted jobs on the queue. */
export interface JobDispatcher {
  /** Never throws: entries that Redis does not take now are added later by the reconciler. */
  dispatch(job: ScoringJob): Promise<void>;
  /** Puts back those entries of this job that the queue has lost. @returns false when Redis cannot be reached */
  restore(job: ScoringJob): Promise<boolean>;
}

export function createJobDispatcher(
  models: Models,
  queue: ScoringQueue,
  { repairs }: Pick<Metrics, 'repairs'>,
  tracing: Tracing = noTracing,
): JobDispatcher {
  async function each(job: ScoringJob, handle: (entries: QueueEntry[]) => Promise<boolean>): Promise<boolean> {
    for await (const entries of jobKinds[job.kind].entriesOf(models, job)) {
      if (!(await handle(entries))) return false;
    }
    return true;
  }
  return {
    async dispatch(job) {
      await tracing
        .span('put on the queue', { 'riskgraph.job_kind': job.kind }, () =>
          each(job, (entries) => queue.add(entries, job.priority)),
        )
        .catch(() => false);
    },
    restore: (job) =>
      each(job, async (entries) => {
        const missing = await queue.missing(entries);
        if (missing.length === 0) return true;
        const added = await queue.add(missing, job.priority);
        if (added) repairs.inc({ kind: job.kind }, missing.length);
        return added;
      }),
  };
}
