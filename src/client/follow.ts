import { readOperation } from './document.js';
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

/** The parts of an event by which a client can tell that it missed nothing. */
interface Event {
  readonly sequence?: number;
  collapsed?: number;
  readonly cursor?: string;
  readonly job?: { readonly state?: string };
}

const terminal = new Set<unknown>(['COMPLETED', 'FAILED', 'CANCELLED']);

/**
 * Runs a subscription over any number of connections, until the server completes it. What it does with the events goes by
 * the field that the operation asks for:
 *
 * 1. After a break it subscribes again, with a backoff.
 * 2. The events of `scoringJobUpdated` are the changes of one job. Each must have `sequence = previous + 1 + collapsed`.
 *    One that was seen before is dropped. After a gap the subscription resumes behind the last event before it. A
 *    completion before the job has ended counts as a break: the server may have been stopped.
 * 3. `predictionCreated` resumes behind the last `cursor`. Before the first event it takes the one at which the API says
 *    that it began.
 * 4. Both give their place to the variable of the argument `after`. Events of any other field are passed on untouched.
 * 5. The sink learns of each beginning without the changes before it. One job begins with its present state.
 * 6. When the API refuses the token, the next attempt has another one. A second refusal ends the subscription.
 *
 * @returns a function that ends it. The sink gets nothing after that
 */
export function follow({ transport, attempts, onBreak }: Following, operation: Operation, sink: Sink): () => void {
  const { field, key, after } = readOperation(operation.query, operation.operationName);
  const isJob = field === 'scoringJobUpdated';
  const hasCursor = field === 'predictionCreated';
  const isEndless = hasCursor || field === 'scoringJobsUpdated';
  const variable = isJob || hasCursor ? after : undefined;
  /** The number of the last event, or its cursor. */
  let place: unknown = variable && operation.variables?.[variable];
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
  const lose = (message: string): void => again(new Break(message, undefined, true), 0);
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
    let told = isJob || (variable && place != null);
    let isRefused = false;
    const tell = (after: string): void => {
      if (!told) sink.begun?.(after);
      told = true;
    };
    const request = variable ? { ...operation, variables: { ...operation.variables, [variable]: place } } : operation;
    const whileLive =
      <T>(handle: (value: T) => void) =>
      (value: T): void => {
        if (live) handle(value);
      };
    const end = transport().subscribe(
      request,
      {
        next: whileLive((result: Result) => {
          const event = (result.data as Record<string, Event | null> | null | undefined)?.[key];
          if (!event && (isJob || isEndless) && result.errors) {
            const error = new GraphqlRequestError(result.errors, result.data);
            // The change whose event could not be made is asked for again.
            if (retryAfterMs(error) !== undefined) return recover(error);
          }
          isRefused = !result.data;
          if (!isRefused) tell('');
          if (event && hasCursor) place = event.cursor;
          if (event && isJob) {
            const { sequence, collapsed, job } = event;
            if (sequence !== undefined && collapsed !== undefined) {
              // A document with a fixed `after` begins behind that.
              const before = sequence - 1 - collapsed;
              const previous = (place ??= before) as number;
              if (sequence <= previous) return;
              if (before > previous) return lose(`Changes after ${previous} are missing.`);
              // The present state comes again after a break, when `after` has no variable. What was seen does not count.
              event.collapsed = sequence - 1 - previous;
              place = sequence;
            }
            if (job?.state) unfinished = !terminal.has(job.state);
          }
          failed = refusals = 0;
          sink.next(result);
        }),
        error: whileLive(recover),
        begun: whileLive((after: string) => {
          if (hasCursor) place ??= after;
          tell(after);
        }),
        complete() {
          if (!live) return;
          if (!isRefused && (unfinished || isEndless)) return lose('The server ended the subscription too early.');
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
