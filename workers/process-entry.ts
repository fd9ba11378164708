import { Types } from 'mongoose';
import type { ChunkRunner } from '../src/scoring/chunk-runner.js';
import type { JobStore } from '../src/jobs/job-store.js';
import type { RunningJobs } from '../src/scoring/running-jobs.js';
import { queueEntrySchema } from '../src/jobs/scoring-queue.js';
import { runSingleJob, type SingleJobRunnerDependencies } from '../src/scoring/single-job-runner.js';

interface EntryProcessorDependencies extends SingleJobRunnerDependencies {
  readonly jobStore: JobStore;
  readonly runningJobs: RunningJobs;
  readonly chunkRunner: ChunkRunner;
}

/** BullMQ processor of the scoring queue: parses the entry, claims the work, runs it. A subject that is gone is a quiet end. */
export function createEntryProcessor(dependencies: EntryProcessorDependencies): (data: unknown) => Promise<void> {
  const { jobStore, runningJobs, chunkRunner } = dependencies;
  return async (data) => {
    const entry = queueEntrySchema.parse(data);
    const jobId = new Types.ObjectId(entry.scoringJobId);
    await runningJobs.run(entry.scoringJobId, async (signal) => {
      if (entry.kind === 'chunk') return chunkRunner.run(jobId, entry.chunk, signal);
      const claim = await jobStore.claim(jobId, entry.dispatch);
      if (claim) await runSingleJob(dependencies, claim, signal);
    });
  };
}
