/** Waits. @param signal ends the wait early */
export const wait = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    // A signal that was aborted before tells nothing more.
    const timer = setTimeout(end, signal?.aborted ? 0 : ms);
    signal?.addEventListener('abort', end);
  });

/** Longest time between two attempts, milliseconds. */
const longestMs = 10_000;

/**
 * Milliseconds to wait before the next attempt. It is random up to a bound that doubles, so that the clients of a server
 * that was away do not all come back at once. https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 * @param attempt number of attempts that have failed since the last success, from 1
 */
export const backoffMs = (attempt: number): number => 20 + Math.random() * Math.min(250 * 2 ** attempt, longestMs);
