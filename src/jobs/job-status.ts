import { JobStage, ScoringJobState, type JobFailure, type JobStatus, type ScoringJob } from '../../models/index.js';

/*
 * The life of a scoring job, as pure functions from one status to the next. Every one counts `sequence` up by one.
 *
 *   QUEUED -> ACTIVE -> COMPLETED | FAILED | CANCELLED
 *     ^  \________|_________________________^
 *     |___ requeued (a passing error), revived (a retry by hand)
 */

const terminalStates: ReadonlySet<ScoringJobState> = new Set([
  ScoringJobState.COMPLETED,
  ScoringJobState.FAILED,
  ScoringJobState.CANCELLED,
]);

/** Whether nothing but a retry by hand can change the job any more. */
export const isTerminal = (state: ScoringJobState): boolean => terminalStates.has(state);

export const unfinishedStates: readonly ScoringJobState[] = [ScoringJobState.QUEUED, ScoringJobState.ACTIVE];

export function submitted(): JobStatus {
  return { sequence: 1, state: ScoringJobState.QUEUED, stage: JobStage.WAITING, processed: 0, failed: 0, attempts: 0 };
}

/** A worker begins, or takes over from one that is gone. */
export function started(status: JobStatus, now: Date): JobStatus {
  return {
    ...next(status),
    state: ScoringJobState.ACTIVE,
    stage: JobStage.ENCODING,
    attempts: status.attempts + 1,
    startedAt: status.startedAt ?? now,
  };
}

export function progressed(
  status: JobStatus,
  progress: Partial<Pick<JobStatus, 'stage' | 'processed' | 'failed'>>,
): JobStatus {
  return { ...next(status), ...progress };
}

/** Back in line after a passing error, which stays visible. */
export function requeued(status: JobStatus, failure: JobFailure): JobStatus {
  return { ...next(status), state: ScoringJobState.QUEUED, stage: JobStage.WAITING, error: failure };
}

export function completed(
  status: JobStatus,
  counts: { readonly processed: number; readonly failed: number },
  now: Date,
): JobStatus {
  const { error: _passingError, ...kept } = next(status);
  return { ...kept, ...counts, state: ScoringJobState.COMPLETED, stage: JobStage.DONE, finishedAt: now };
}

export function failed(status: JobStatus, failure: JobFailure, now: Date): JobStatus {
  return { ...next(status), state: ScoringJobState.FAILED, finishedAt: now, error: failure };
}

export function cancelled(status: JobStatus, now: Date): JobStatus {
  return { ...next(status), state: ScoringJobState.CANCELLED, finishedAt: now };
}

/** A finished job that is to run once more. What it had done stays done. */
export function revived(status: JobStatus): JobStatus {
  const { error: _error, finishedAt: _finishedAt, ...kept } = next(status);
  return { ...kept, state: ScoringJobState.QUEUED, stage: JobStage.WAITING };
}

const next = (status: JobStatus): JobStatus => ({ ...status, sequence: status.sequence + 1 });

/** One change of a job as a subscriber sees it: the job as it stood after that change. */
export interface JobChange {
  readonly sequence: number;
  /** Changes of progress folded into this one since the one before. */
  readonly collapsed: number;
  readonly job: ScoringJob;
}

/**
 * What a subscriber who saw everything up to `after` has to be shown, oldest first. Each change of state by itself;
 * progress folded into whatever follows it, so that sequence = previous + 1 + collapsed holds throughout.
 * @param after 0 for a subscriber who saw nothing: it gets the job as it stands, all before it folded
 */
export function changesSince(job: ScoringJob, after: number): JobChange[] {
  const missedTransitions = after === 0 ? [] : job.transitions.filter((status) => status.sequence > after);
  const last = missedTransitions.at(-1)?.sequence ?? after;
  const statuses = job.status.sequence > last ? [...missedTransitions, job.status] : missedTransitions;
  return statuses.map((status, index) => ({
    sequence: status.sequence,
    collapsed: status.sequence - (statuses[index - 1]?.sequence ?? after) - 1,
    job: { ...job, status },
  }));
}
