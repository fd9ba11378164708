import { GraphqlRequestError, unauthenticated, type Result } from './errors.js';
import type { Operation } from './post.js';
import { Break, retryAfterMs, type Sink, type Transport } from './transport.js';
import { backoffMs } from './wait.js';

/** How a subscription is carried, and for how long it is tried. */
interface Following {
  /** Chooses the transport of the next attempt. */
  readonly transport: () => Transport;
  /** Attempts in a row that may fail before the subscription does. */
  readonly attempts: number;
  /** Called before each wait. */
  readonly onBreak?: (error: Error, waitMs: number) => void;
}

/** The fields of an event by which a client can tell that it missed nothing. */
interface Numbered {
  readonly sequence?: number;
  readonly collapsed?: number;
  readonly cursor?: string;
  readonly job?: { readonly state?: string; readonly finishedAt?: string | null };
}

const terminal = new Set<unknown>(['COMPLETED', 'FAILED', 'CANCELLED']);

/**
 * Runs a subscription over any number of connections, until the server completes it.
 *
 * 1. After a break it subscribes again, with a backoff, and with the last sequence number or cursor as `after` when the
 *    document has that variable. Before the first event it takes the cursor at which the API says that it began.
 * 2. Each event must have `sequence = previous + 1 + collapsed`. One that was seen before is dropped. After a gap the
 *    subscription resumes behind the last event before it.
 * 3. When the API refuses the token, the next attempt has another one. A second refusal ends the subscription.
 * 4. A completion before the job has ended counts as a break: the server may have been stopped.
 *
 * @returns a function that ends it. The sink gets nothing after that
 */
export function follow({ transport, attempts, onBreak }: Following, operation: Operation, sink: Sink): () => void {
  const resumes = /\$after\b/.test(operation.query);
  const given = resumes ? operation.variables?.after : undefined;
  let previous = typeof given === 'number' ? given : 0;
  let cursor = typeof given === 'string' ? given : undefined;
  let failed = 0;
  let refusals = 0;
  let unfinished = false;
  let stopAttempt = (): void => undefined;
  let timer: NodeJS.Timeout | undefined;

  function stop(): void {
    clearTimeout(timer);
    stopAttempt();
    begin = () => undefined;
  }
  function fail(error: Error): void {
    stop();
    sink.error(error);
  }
  /** Ends this attempt, and begins another one after a while. */
  function again(error: Error, leastMs: number, refused?: string): void {
    stopAttempt();
    failed += 1;
    if (failed > attempts) return fail(error);
    const waitMs = leastMs + backoffMs(failed);
    onBreak?.(error, waitMs);
    timer = setTimeout(() => begin(refused), waitMs);
  }
  function recover(error: Error): void {
    const isRefused = error instanceof GraphqlRequestError && error.code === 'UNAUTHENTICATED';
    const broken = error instanceof Break ? error : undefined;
    if (broken?.established) failed = refusals = 0;
    if (broken?.refused) {
      refusals += 1;
      return refusals > 1 ? fail(unauthenticated(broken.message)) : again(error, 0, broken.refused);
    }
    const leastMs = isRefused ? undefined : retryAfterMs(error);
    return leastMs === undefined ? fail(error) : again(error, leastMs);
  }

  let begin = (refused?: string): void => {
    let live = true;
    const { after: _given, ...variables } = operation.variables ?? {};
    const request = resumes
      ? { query: operation.query, variables: { ...variables, after: cursor ?? (previous || undefined) } }
      : operation;
    const whileLive =
      <T>(handle: (value: T) => void) =>
      (value: T): void => {
        if (live) handle(value);
      };
    const end = transport().subscribe(
      request,
      {
        next: whileLive((result: Result) => {
          const event = Object.values(result.data ?? {})[0] as Numbered | null | undefined;
          if (!event && resumes && result.errors) {
            const error = new GraphqlRequestError(result.errors, result.data);
            // The change whose event could not be made is asked for again.
            if (retryAfterMs(error) !== undefined) return recover(error);
          }
          const { sequence, collapsed, job } = event ?? {};
          // A document that does not select it resumes from the present state.
          if (event) cursor = event.cursor;
          // Events of a list of jobs have no `collapsed`: each job counts for itself there.
          if (sequence !== undefined && collapsed !== undefined) {
            if (sequence <= previous) return;
            const before = sequence - 1 - collapsed;
            if (before > previous)
              return again(new Break(`Changes after ${previous} are missing.`, undefined, true), 0);
            // A document without `$after` begins with the present state again: the changes seen before do not count.
            if (before < previous) (event as { collapsed: number }).collapsed = sequence - 1 - previous;
            previous = sequence;
          }
          failed = refusals = 0;
          if (job?.state) unfinished = !terminal.has(job.state);
          sink.next(result);
        }),
        error: whileLive(recover),
        begun: whileLive((after: string) => (cursor ??= after)),
        complete() {
          if (!live) return;
          if (unfinished)
            return again(new Break('The server ended the subscription before the job.', undefined, true), 0);
          stop();
          sink.complete();
        },
      },
      refused,
    );
    stopAttempt = () => {
      live = false;
      end();
    };
  };
  begin();
  return stop;
}
