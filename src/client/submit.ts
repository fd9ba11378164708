import {
  CancelScoringJobDocument,
  ScoringJobUpdatedDocument,
  SubmitBatchScoringJobDocument,
  SubmitScoringJobDocument,
  type JobFieldsFragment,
  type ScoringJobUpdatedSubscription,
  type SubmitBatchScoringJobInput,
  type SubmitScoringJobInput,
} from './generated/graphql.js';
import { ConnectionError } from './errors.js';
import type { GraphqlClient, TypedDocument } from './graphql-client.js';
import { iterate } from './iterate.js';
import { retryAfterMs, type Sink } from './transport.js';
import { backoffMs, wait } from './wait.js';

/** One change of a job. */
export type JobEvent = ScoringJobUpdatedSubscription['scoringJobUpdated'];
/** A job with its prediction, which a COMPLETED job of one patient has. */
export type FollowedJob = JobEvent['job'];

/** Thrown by `result` when a job ended without success. */
export class JobEndedError extends Error {
  override readonly name = 'JobEndedError';
  constructor(readonly job: FollowedJob) {
    super(`The scoring job ${job.id} ended ${job.state}${job.error ? `: ${job.error.message}` : ''}`);
  }
}

/** A job that is followed. */
export interface Submission {
  /** The job as the API accepted it. */
  readonly job: Promise<Pick<JobFieldsFragment, 'id'>>;
  /**
   * The changes of the job, from its present one on. For a slow reader progress is folded, and `collapsed` counts it;
   * changes of state are not. Each loop gets its own; leaving it ends nothing.
   */
  readonly progress: AsyncIterable<JobEvent>;
  /**
   * The job at its end.
   * @throws JobEndedError when it FAILED or was CANCELLED; GraphqlRequestError when the API refuses it
   */
  readonly result: Promise<FollowedJob>;
  /** Asks for the end of the job. `result` then throws a JobEndedError, unless the job was faster. */
  cancel(): Promise<void>;
}

/** How long a job is submitted, and followed. */
export interface SubmitOptions {
  /**
   * Time for which it is submitted again while the API is away, milliseconds. All attempts have one idempotency key, so
   * the job is accepted once.
   * @defaultValue two minutes, so that a restart does not show
   */
  readonly patienceMs?: number;
  /** Ends the attempts and the following. `result` then throws the reason. The job goes on: `cancel` ends it. */
  readonly signal?: AbortSignal;
  /** Called when an attempt failed, before the next one is waited for. */
  readonly onBreak?: (error: Error, waitMs: number) => void;
}

/** Submits a job for one patient (`patientId`) or many, and follows it. */
export function submit(
  client: GraphqlClient,
  input: SubmitScoringJobInput | SubmitBatchScoringJobInput,
  options: SubmitOptions = {},
): Submission {
  return followJob(client, accept(client, { idempotencyKey: crypto.randomUUID(), ...input }, options), options.signal);
}

/** Follows a job that was submitted before. @param options.signal ends the following */
export const watchJob = (
  client: GraphqlClient,
  id: string,
  { signal }: Pick<SubmitOptions, 'signal'> = {},
): Submission => followJob(client, Promise.resolve({ id }), signal);

/** The answer of either mutation. */
type Submitted = Record<string, JobFieldsFragment>;

async function accept(
  client: GraphqlClient,
  input: SubmitScoringJobInput | SubmitBatchScoringJobInput,
  { patienceMs = 120_000, signal, onBreak }: SubmitOptions,
): Promise<JobFieldsFragment> {
  const end = Date.now() + patienceMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const document = 'patientId' in input ? SubmitScoringJobDocument : SubmitBatchScoringJobDocument;
      const [job] = Object.values(
        await client.request(document as TypedDocument<Submitted, object>, { input }, signal),
      );
      return job!;
    } catch (error) {
      const waitMs = (retryAfterMs(error as Error) ?? Infinity) + backoffMs(attempt);
      if (Date.now() + waitMs > end) throw error;
      onBreak?.(error as Error, waitMs);
      await wait(waitMs, signal);
    }
  }
}

function followJob(client: GraphqlClient, job: Submission['job'], signal?: AbortSignal): Submission {
  const listeners = new Set<Sink>();
  let last: JobEvent | undefined;
  let end: ((sink: Sink) => void) | undefined;

  async function follow(): Promise<FollowedJob> {
    const { id } = await job;
    const events = client.subscribe(ScoringJobUpdatedDocument, { id });
    signal?.throwIfAborted();
    const leave = (): void => void events.return!();
    signal?.addEventListener('abort', leave);
    try {
      for await (const { scoringJobUpdated } of events) {
        last = scoringJobUpdated;
        listeners.forEach((listener) => listener.next({ data: last }));
      }
    } finally {
      signal?.removeEventListener('abort', leave);
    }
    signal?.throwIfAborted();
    if (!last) throw new ConnectionError('The subscription ended without an event.');
    return last.job;
  }
  const ended = follow();
  ended
    .then(
      () => (end = (sink) => sink.complete()),
      (error: Error) => (end = (sink) => sink.error(error)),
    )
    .finally(() => listeners.forEach((listener) => end!(listener)));
  const result = ended.then((followed) => {
    if (followed.state !== 'COMPLETED') throw new JobEndedError(followed);
    return followed;
  });
  // A caller may want the progress alone.
  result.catch(() => undefined);

  return {
    job,
    result,
    progress: {
      [Symbol.asyncIterator]: () =>
        iterate<JobEvent>((sink) => {
          listeners.add(sink);
          if (last) sink.next({ data: last });
          end?.(sink);
          return () => listeners.delete(sink);
        }, fold),
    },
    async cancel() {
      await client.request(CancelScoringJobDocument, { id: (await job).id });
    },
  };
}

/** Folds two changes that were not read yet, when the state is the same. */
function fold(earlier: JobEvent, later: JobEvent): JobEvent | undefined {
  return earlier.job.state === later.job.state
    ? { ...later, collapsed: later.collapsed + earlier.collapsed + 1 }
    : undefined;
}
