import { Types } from 'mongoose';
import { isAsSubmitted } from '../src/jobs/job-status.js';
import { callByKind, queueEntrySchema, type ByEntryKind } from '../src/jobs/scoring-queue.js';
import type { ChunkRunner } from '../src/scoring/chunk-runner.js';
import type { RunningJobs } from '../src/scoring/running-jobs.js';
import { runNewJob, runSingleJob, type SingleJobRunnerDependencies } from '../src/scoring/single-job-runner.js';

/**
 * Runs the work of one queue entry.
 * @param signal is aborted when the job is cancelled
 * @param isRepeated true when the entry was delivered before
 */
type RunEntry = (signal: AbortSignal, isRepeated: boolean) => Promise<void>;

interface EntryRunnerDependencies extends SingleJobRunnerDependencies {
  readonly chunkRunner: Pick<ChunkRunner, 'run'>;
}

/** The runner of each kind of entry. A runner does nothing when the work is done already or its job was deleted. */
export function createEntryRunners(dependencies: EntryRunnerDependencies): ByEntryKind<RunEntry> {
  const { jobStore, scoringRecords, chunkRunner } = dependencies;
  let running = 0;

  async function runSingle(
    id: Types.ObjectId,
    dispatch: number,
    signal: AbortSignal,
    isRepeated: boolean,
  ): Promise<void> {
    // Jobs that run at the same time share claims and readings: that costs less. A job that an earlier worker did not end is
    // claimed first, so that its attempts are counted.
    const isAlone = running === 1 && !isRepeated;
    const found = isAlone ? await scoringRecords.jobWithPatient(id).catch(() => null) : null;
    if (found && isAsSubmitted(found.job)) return runNewJob(dependencies, found, signal);
    const claim = await jobStore.claim(id, dispatch);
    if (claim) await runSingleJob(dependencies, claim, signal);
  }

  return {
    single:
      ({ scoringJobId, dispatch }) =>
      async (signal, isRepeated) => {
        running += 1;
        await runSingle(new Types.ObjectId(scoringJobId), dispatch, signal, isRepeated).finally(() => (running -= 1));
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
): (data: unknown, isRepeated: boolean) => Promise<void> {
  return async (data, isRepeated) => {
    const entry = queueEntrySchema.parse(data);
    const run = callByKind(runners, entry);
    await runningJobs.run(entry.scoringJobId, (signal) => run(signal, isRepeated));
  };
}
