import { Types } from 'mongoose';
import { callByKind, queueEntrySchema, type ByEntryKind } from '../src/jobs/scoring-queue.js';
import type { ChunkRunner } from '../src/scoring/chunk-runner.js';
import type { RunningJobs } from '../src/scoring/running-jobs.js';
import { runSingleJob, type SingleJobRunnerDependencies } from '../src/scoring/single-job-runner.js';

/** Runs the work of one queue entry. @param signal is aborted when the job is cancelled */
type RunEntry = (signal: AbortSignal) => Promise<void>;

interface EntryRunnerDependencies extends SingleJobRunnerDependencies {
  readonly chunkRunner: Pick<ChunkRunner, 'run'>;
}

/** The runner of each kind of entry. A runner does nothing when the work is done already or its job was deleted. */
export function createEntryRunners(dependencies: EntryRunnerDependencies): ByEntryKind<RunEntry> {
  const { jobStore, scoringRecords, chunkRunner } = dependencies;
  let running = 0;

  async function runSingle(id: Types.ObjectId, dispatch: number, signal: AbortSignal): Promise<void> {
    // Jobs that run at the same time share the reading of their patients: that costs less.
    const early = running === 1 ? scoringRecords.patientOfJob(id) : undefined;
    early?.catch(() => undefined);
    const claim = await jobStore.claim(id, dispatch);
    if (claim) await runSingleJob(dependencies, claim, signal, early);
  }

  return {
    single:
      ({ scoringJobId, dispatch }) =>
      async (signal) => {
        running += 1;
        await runSingle(new Types.ObjectId(scoringJobId), dispatch, signal).finally(() => (running -= 1));
      },
    chunk:
      ({ scoringJobId, chunk }) =>
      (signal) =>
        chunkRunner.run(new Types.ObjectId(scoringJobId), chunk, signal),
  };
}

/** BullMQ processor of the scoring queues: parses the entry and runs its work. */
export function createEntryProcessor(
  runners: ByEntryKind<RunEntry>,
  runningJobs: RunningJobs,
): (data: unknown) => Promise<void> {
  return async (data) => {
    const entry = queueEntrySchema.parse(data);
    await runningJobs.run(entry.scoringJobId, callByKind(runners, entry));
  };
}
