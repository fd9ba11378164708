import { ScoringJobKind, type Models, type ScoringChunk, type ScoringJob } from '../../models/index.js';
import type { QueueEntry, ScoringQueue } from './scoring-queue.js';

/** Entries handed to the queue at a time. */
const entriesPerCall = 500;

/** Puts accepted jobs on the queue. */
export interface JobDispatcher {
  /** Never throws: what Redis does not take now, the reconciler brings later. */
  dispatch(job: ScoringJob): Promise<void>;
  /** Puts back what the queue has lost of this job. False when Redis is away. */
  restore(job: ScoringJob): Promise<boolean>;
}

export function createJobDispatcher(models: Models, queue: ScoringQueue): JobDispatcher {
  async function each(job: ScoringJob, handle: (entries: QueueEntry[]) => Promise<boolean>): Promise<boolean> {
    for await (const entries of entriesOf(models, job)) {
      if (!(await handle(entries))) return false;
    }
    return true;
  }
  return {
    async dispatch(job) {
      await each(job, (entries) => queue.add(entries, job.priority)).catch(() => false);
    },
    restore: (job) =>
      each(job, async (entries) => {
        const missing = await queue.missing(entries);
        return missing.length === 0 || queue.add(missing, job.priority);
      }),
  };
}

/** The queue entries of all work of a job that is not done yet. */
async function* entriesOf(models: Models, job: ScoringJob): AsyncGenerator<QueueEntry[]> {
  const common = { scoringJobId: job._id.toHexString(), dispatch: job.dispatch };
  if (job.kind === ScoringJobKind.SINGLE) {
    yield [{ kind: 'single', ...common }];
    return;
  }
  let entries: QueueEntry[] = [];
  const chunks = models.scoringChunks
    .find({ job: job._id, done: false }, { number: 1, _id: 0 })
    .sort({ number: 1 })
    .lean<Pick<ScoringChunk, 'number'>[]>();
  for await (const { number } of chunks.cursor()) {
    entries.push({ kind: 'chunk', ...common, chunk: number });
    if (entries.length === entriesPerCall) {
      yield entries;
      entries = [];
    }
  }
  if (entries.length > 0) yield entries;
}
