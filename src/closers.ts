/** The way back from a start: a stack of closers, one for each part that was opened. */
export interface Closers {
  /** Adds the closing of what was just opened. */
  add(close: () => unknown): void;
  /**
   * Closes everything, one after the other, the last opened first. The others have their turn even when a closer fails.
   * A second call gives the outcome of the first.
   * @throws the error of the closer that failed; an AggregateError when several did
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
 * Starts something of several parts. When the start fails, the parts that were opened until then are closed.
 * @param start adds a closer for each part as soon as that is open
 * @param onCloseError called when parts did not close after a failed start, whose own error is the one that is thrown
 * @throws what `start` throws
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
 * Closes side by side, and waits for all.
 * @throws as `Closers.close`
 */
export async function closeTogether(closes: readonly (() => unknown)[]): Promise<void> {
  const results = await Promise.allSettled(closes.map(async (close) => close()));
  throwAny(results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : [])));
}

function throwAny(errors: readonly unknown[]): void {
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} parts did not close`);
}
