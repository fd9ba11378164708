/** Options of an async queue. */
interface AsyncQueueOptions {
  /**
   * Called when the consumer wants a value, none is left and the queue was woken. It pushes what there is, or calls
   * `finish`. When it throws, the queue closes and the consumer gets the error.
   * @defaultValue nothing is looked for: values come from `push` alone
   */
  readonly refill?: () => Promise<void>;
  /** Called once, when the queue closes for whatever reason. */
  readonly onClose?: () => void;
}

/**
 * Values that a producer pushes and one consumer iterates. `return` also ends a `next` that is still waiting; a bare async
 * generator would hold it back until the next value, and leak the consumer.
 */
export interface AsyncQueue<T> extends AsyncIterableIterator<T> {
  push(...values: readonly T[]): void;
  /** Has a consumer that waits look again. */
  wake(): void;
  /** Ends the iteration behind the values that are left. */
  finish(): void;
  /** Drops the values that are left; the consumer's next call throws the error. */
  fail(error: Error): void;
  /** Ends the iteration now and drops the values that are left. More than once does no harm. */
  close(): void;
  /** Values that the consumer has not taken yet. */
  readonly length: number;
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
  /** @throws what `refill` throws */
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
    get length() {
      return values.length;
    },
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
