/** Options of an async queue. */
interface AsyncQueueOptions {
  /**
   * Called when the consumer wants a value, none is left and `wake` was called. It pushes new values, or calls
   * `finish`. When it throws, the queue closes and the consumer gets the error.
   * @defaultValue none: only `push` brings values
   */
  readonly refill?: () => Promise<void>;
  /** Called once, when the queue closes, for any reason. */
  readonly onClose?: () => void;
}

/**
 * A queue of values: producers push them, and one consumer iterates over them. `return` also ends a `next` that is
 * still waiting. A bare async generator would delay `return` until the next value, and leak the consumer.
 */
export interface AsyncQueue<T> extends AsyncIterableIterator<T> {
  push(...values: readonly T[]): void;
  /** Makes a waiting consumer call `refill`. */
  wake(): void;
  /** Ends the iteration after the values that are left. */
  finish(): void;
  /** Drops the values that are left; the consumer's next call throws the error. */
  fail(error: Error): void;
  /** Ends the iteration now and drops the values that are left. Further calls do nothing. */
  close(): void;
  /** Values that the consumer has not taken yet. */
  length(): number;
  /** The values that the consumer takes next, at most `count`, without taking them. */
  upcoming(count: number): readonly T[];
}

export function createAsyncQueue<T>({ refill, onClose }: AsyncQueueOptions = {}): AsyncQueue<T> {
  let values: T[] = [];
  let woken = false;
  let finished = false;
  let closed = false;
  let failure: Error | undefined;
  let resume: (() => void) | undefined;
  const done = { done: true, value: undefined } as const;

  function close(): void {
    if (closed) return;
    closed = true;
    values = [];
    resume?.();
    onClose?.();
  }
  /** Calls `refill`, and closes the queue when it fails. @throws the error of `refill` */
  async function refillOrClose(): Promise<void> {
    woken = false;
    try {
      await refill?.();
    } catch (error) {
      close();
      throw error;
    }
  }

  return {
    length: () => values.length,
    upcoming: (count) => values.slice(0, count),
    push(...more) {
      if (closed || finished) return;
      values.push(...more);
      resume?.();
    },
    wake() {
      woken = true;
      resume?.();
    },
    finish() {
      finished = true;
      resume?.();
    },
    fail(error) {
      if (closed) return;
      failure = error;
      close();
    },
    close,

    async next() {
      while (values.length === 0 && !closed) {
        if (finished) close();
        else if (woken) await refillOrClose();
        else await new Promise<void>((resolve) => (resume = resolve));
      }
      if (failure) {
        const error = failure;
        failure = undefined;
        throw error;
      }
      return closed ? done : { done: false, value: values.shift()! };
    },
    async return() {
      close();
      return done;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
