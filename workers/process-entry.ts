import { Types } from 'mongoose';
import type { ChunkRunner } from '../src/jobs/chunk-runner.js';
import type { JobStore } from '../src/jobs/job-store.js';
import type { RunningJobs } from '../src/jobs/running-jobs.js';
import { queueEntrySchema } from '../src/jobs/scoring-queue.js';
import { runSingleJob, type SingleJobRunnerDependencies } from '../src/jobs/single-job-runner.js';

export interface EntryProcessorDependencies extends SingleJobRunnerDependencies {
  readonly store: JobStore;
  readonly runningJobs: RunningJobs;
  readonly chunkRunner: ChunkRunner;
}

/** BullMQ processor of the scoring queue: parses the entry, claims the work, runs it. A subject that is gone is a quiet end. */
export function createEntryProcessor(dependencies: EntryProcessorDependencies): (data: unknown) => Promise<void> {
  const { store, runningJobs, chunkRunner } = dependencies;
  return async (data) => {
    const entry = queueEntrySchema.parse(data);
    const jobId = new Types.ObjectId(entry.scoringJobId);
    await runningJobs.run(entry.scoringJobId, async (signal) => {
      if (entry.kind === 'chunk') return chunkRunner.run(jobId, entry.chunk, signal);
      const claim = await store.claim(jobId, entry.dispatch);
      if (claim) await runSingleJob(dependencies, claim, signal);
    });
  };
}
