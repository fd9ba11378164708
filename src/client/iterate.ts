import { type Result, GraphqlRequestError } from './errors.js';
import type { Sink } from './transport.js';

/**
 * Gives the data of a subscription as an iterator. `return` also ends a `next` that still waits, which an async
 * generator would delay until the next event.
 * @param begin starts the subscription, and returns what ends it. It is called with the first `next`
 * @param fold joins two values that were not read yet; undefined when both are to be kept
 */
export function iterate<T>(
  begin: (sink: Sink) => () => unknown,
  fold: (earlier: T, later: T) => T | undefined = () => undefined,
): AsyncIterableIterator<T> {
  const values: T[] = [];
  let ended = false;
  let failure: Error | undefined;
  let stop: (() => unknown) | undefined;
  let resume = (): void => undefined;
  const end = (error?: Error): void => {
    ended = true;
    failure ??= error;
    stop?.();
    resume();
  };
  return {
    async next() {
      if (!ended) {
        stop ??= begin({
          next({ data, errors }: Result) {
            if (errors) return end(new GraphqlRequestError(errors, data));
            const value = data as T;
            const folded = values.length > 0 ? fold(values.at(-1)!, value) : undefined;
            if (folded === undefined) values.push(value);
            else values[values.length - 1] = folded;
            resume();
          },
          error: end,
          complete: end,
        });
      }
      while (values.length === 0 && !ended) await new Promise<void>((resolve) => (resume = resolve));
      if (values.length > 0) return { done: false, value: values.shift()! };
      const error = failure;
      failure = undefined;
      if (error) throw error;
      return { done: true, value: undefined };
    },
    async return() {
      values.length = 0;
      failure = undefined;
      end();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
