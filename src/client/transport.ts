import { ConnectionError, GraphqlRequestError, type Result } from './errors.js';
import type { Operation } from './post.js';

/** Receives the events of one subscription. After `error` or `complete` there are no more. */
export interface Sink {
  /**
   * Called when the events begin without the changes before them, first or after a break: read again now what they
   * change. Later changes come as events.
   * @param after the cursor of the beginning; empty for a subscription without cursors
   */
  begun?(after: string): void;
  next(result: Result): void;
  error(error: Error): void;
  complete(): void;
}

/** A sink that always learns where a subscription began. */
export type PlacedSink = Required<Sink>;

/** One way to carry subscriptions. */
export interface Transport {
  /**
   * Begins a subscription.
   * @param refused a token that the API has refused
   * @returns a function that ends it
   */
  subscribe(operation: Operation, sink: PlacedSink, refused?: string): () => void;
  close(): void;
}

/** The end of a connection that was not asked for. */
export class Break extends ConnectionError {
  /**
   * @param established true when the API had accepted the connection
   * @param refused the token that the API did not accept, or that has ended
   */
  constructor(
    message: string,
    code: number | undefined,
    readonly established: boolean,
    readonly refused?: string,
  ) {
    super(message, code);
  }
}

/** Codes of errors that pass. */
const passing = new Set<unknown>(['SERVICE_UNAVAILABLE', 'RATE_LIMITED']);

/**
 * Codes with which a WebSocket is closed for an error that another attempt would repeat: one of the protocol, or a
 * message that is too large.
 */
const final = new Set<unknown>([1002, 1003, 1007, 1008, 1009, 1010, 4004, 4005, 4400, 4406, 4409, 4429]);

/**
 * Tells whether another attempt may succeed.
 * @returns the shortest time to wait, milliseconds; undefined for an error that would come again
 */
export function retryAfterMs(error: Error): number | undefined {
  if (error instanceof ConnectionError) return final.has(error.code) ? undefined : 0;
  if (!(error instanceof GraphqlRequestError) || !passing.has(error.code)) return undefined;
  return 1000 * (error.errors[0]!.extensions!.retryAfterSeconds ?? 0);
}
