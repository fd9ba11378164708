/** Functions that close what a start has started. They run in reverse order. */
export interface Closers {
  /** Adds the closer of a part that was just started. */
  add(close: () => unknown): void;
  /**
   * Closes all parts, one after the other, the last one first. When a closer fails, the others still run. A second call
   * gives the outcome of the first.
   * @throws the error of the closer that failed; an AggregateError when several failed
   */
  close(): Promise<void>;
}

export function createClosers(): Closers {
  const stack: (() => unknown)[] = [];
  let closing: Promise<void> | undefined;

  async function closeAll(): Promise<void> {
    const errors: unknown[] = [];
    for (let close = stack.pop(); close; close = stack.pop()) {
      try {
        await close();
      } catch (error) {
        errors.push(error);
      }
    }
    throwAny(errors);
  }

  return {
    add: (close) => void stack.push(close),
    close: () => (closing ??= closeAll()),
  };
}

/**
 * Starts something that has several parts. When the start fails, the parts that were already started are closed.
 * @param start adds a closer for each part as soon as the part is started
 * @param onCloseError called when a closer fails after a failed start. The error of the start is the one that is thrown
 * @throws the error of `start`
 */
export async function startOrClose<T>(
  start: (closers: Closers) => Promise<T>,
  onCloseError: (error: unknown) => void,
): Promise<T> {
  const closers = createClosers();
  try {
    return await start(closers);
  } catch (error) {
    await closers.close().catch(onCloseError);
    throw error;
  }
}

/**
 * Runs all closers at the same time, and waits for all of them.
 * @throws the same errors as `Closers.close`
 */
export async function closeTogether(closes: readonly (() => unknown)[]): Promise<void> {
  const results = await Promise.allSettled(closes.map(async (close) => close()));
  throwAny(results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : [])));
}

function throwAny(errors: readonly unknown[]): void {
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} parts did not close`);
}
