import { JobStage, ScoringJobState, type JobFailure, type JobStatus, type ScoringJob } from '../../models/index.js';

/*
 * The life of a scoring job, as pure functions from one status to the next. Each function adds one to `sequence`.
 *
 *   QUEUED -> ACTIVE -> COMPLETED | FAILED | CANCELLED
 *     ^  \________|_________________________^
 *     |___ requeued (after a passing error), revived (by a retry by hand)
 */

const terminalStates: ReadonlySet<ScoringJobState> = new Set([
  ScoringJobState.COMPLETED,
  ScoringJobState.FAILED,
  ScoringJobState.CANCELLED,
]);

/** Tells whether the job has ended: only a retry by hand can still change it. */
export const isTerminal = (state: ScoringJobState): boolean => terminalStates.has(state);

/** Tells whether a reason names values of a patient. Only errors about the inputs of a model do. */
export const tellsOfPatient = ({ code }: JobFailure): boolean => code === 'BAD_USER_INPUT';

export const unfinishedStates: readonly ScoringJobState[] = [ScoringJobState.QUEUED, ScoringJobState.ACTIVE];

export function submitted(): JobStatus {
  return { sequence: 1, state: ScoringJobState.QUEUED, stage: JobStage.WAITING, processed: 0, failed: 0, attempts: 0 };
}

/** Tells whether nothing has happened to the job since its submission. */
export const isAsSubmitted = ({ status }: Pick<ScoringJob, 'status'>): boolean =>
  status.sequence === submitted().sequence;

/** A worker starts the job, or takes it over from a worker that died. */
export function started(status: JobStatus, now: Date): JobStatus {
  return {
    ...next(status),
    state: ScoringJobState.ACTIVE,
    stage: JobStage.ENCODING,
    attempts: status.attempts + 1,
    since: now,
    startedAt: status.startedAt ?? now,
  };
}

export function progressed(
  status: JobStatus,
  progress: Partial<Pick<JobStatus, 'stage' | 'processed' | 'failed'>>,
): JobStatus {
  return { ...next(status), ...progress };
}

/** The job waits again after a passing error. The error stays in the status until the job completes. */
export function requeued(status: JobStatus, failure: JobFailure, now: Date): JobStatus {
  return { ...next(status), state: ScoringJobState.QUEUED, stage: JobStage.WAITING, since: now, error: failure };
}

export function completed(
  status: JobStatus,
  counts: { readonly processed: number; readonly failed: number },
  now: Date,
): JobStatus {
  const { error: _passingError, ...kept } = next(status);
  return { ...kept, ...counts, state: ScoringJobState.COMPLETED, stage: JobStage.DONE, since: now, finishedAt: now };
}

export function failed(status: JobStatus, failure: JobFailure, now: Date): JobStatus {
  return { ...next(status), state: ScoringJobState.FAILED, since: now, finishedAt: now, error: failure };
}

export function cancelled(status: JobStatus, now: Date): JobStatus {
  return { ...next(status), state: ScoringJobState.CANCELLED, since: now, finishedAt: now };
}

/** A finished job that is to run again. Its predictions are kept. A FAILED job has none, so it begins at zero. */
export function revived(status: JobStatus, now: Date): JobStatus {
  const { error: _error, finishedAt: _finishedAt, ...kept } = next(status);
  const fromZero = status.state === ScoringJobState.FAILED ? { processed: 0, failed: 0 } : {};
  return { ...kept, ...fromZero, state: ScoringJobState.QUEUED, stage: JobStage.WAITING, since: now };
}

const next = (status: JobStatus): JobStatus => ({ ...status, sequence: status.sequence + 1 });

/** Tells whether a status begins another state or attempt. Progress does not. */
export const isTransition = (before: JobStatus, after: JobStatus): boolean =>
  after.state !== before.state || after.attempts !== before.attempts;

/** A change of a job's state or attempt, as it is shown. */
interface JobTransition {
  readonly state: ScoringJobState;
  /** Number of the run; 0 before the first. */
  readonly attempt: number;
  /** Null when an earlier release stored the change without its time. */
  readonly at: Date | null;
  /** Code of the reason why the run before it failed. */
  readonly errorCode: string | null;
}

/** States that an error may lead to. In later ones the status still holds it. */
const statesAfterErrors: ReadonlySet<ScoringJobState> = new Set([ScoringJobState.QUEUED, ScoringJobState.FAILED]);

/**
 * The changes of state and attempt up to the present status, oldest first. A job that was reduced after its retention
 * time has only those whose times it still has.
 */
export function transitionsOf(job: Pick<ScoringJob, 'status' | 'transitions' | 'submittedAt'>): JobTransition[] {
  const { status, transitions, submittedAt } = job;
  const toTransition = ({ state, attempts, sequence, since, startedAt, finishedAt, error }: JobStatus) => ({
    state,
    attempt: attempts,
    at:
      (isTerminal(state) && finishedAt) ||
      (sequence === 1 && submittedAt) ||
      (state === ScoringJobState.ACTIVE && attempts === 1 && startedAt) ||
      since ||
      null,
    errorCode: (statesAfterErrors.has(state) && error?.code) || null,
  });
  if (transitions.length > 0)
    return transitions.filter(({ sequence }) => sequence <= status.sequence).map(toTransition);
  return [
    { state: ScoringJobState.QUEUED, attempt: 0, at: submittedAt, errorCode: null },
    ...(status.startedAt ? [{ state: ScoringJobState.ACTIVE, attempt: 1, at: status.startedAt, errorCode: null }] : []),
    toTransition(status),
  ];
}

/** One change of a job as a subscriber gets it: the job right after that change. */
export interface JobChange {
  readonly sequence: number;
  /** Number of earlier progress changes that are folded into this change. */
  readonly collapsed: number;
  readonly job: ScoringJob;
}

/**
 * Changes that a subscriber has not seen yet, oldest first. Each change of state is a change of its own. Progress is
 * folded into the change that follows it, so that sequence = previous sequence + 1 + collapsed always holds.
 * @param after sequence number of the last change that the subscriber has seen; 0 for one that has seen none
 * @param options.fromBeginning whether one that has seen none gets every change. Else it gets only the present status,
 *   with all earlier changes folded into it
 */
export function changesSince(
  job: ScoringJob,
  after: number,
  { fromBeginning = false }: { readonly fromBeginning?: boolean } = {},
): JobChange[] {
  const isTold = after > 0 || fromBeginning;
  const missedTransitions = isTold ? job.transitions.filter((status) => status.sequence > after) : [];
  const last = missedTransitions.at(-1)?.sequence ?? after;
  const statuses = job.status.sequence > last ? [...missedTransitions, job.status] : missedTransitions;
  return statuses.map((status, index) => ({
    sequence: status.sequence,
    collapsed: status.sequence - (statuses[index - 1]?.sequence ?? after) - 1,
    job: { ...job, status },
  }));
}
