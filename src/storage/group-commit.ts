import { ServiceUnavailableError } from '../errors.js';

/** Passes single items on in groups. Each caller gets the answer to its own item. */
export type GroupCommit<T, R> = (item: T) => Promise<R>;

/** The outcome of one item of a group. */
export type GroupResult<R> = { readonly value: R } | { readonly error: unknown };

/**
 * Gathers calls that happen at the same time into one round trip. While a group is on its way, later calls form the
 * next group. A single call starts at once, without waiting. Databases commit in this way (group commit, DeWitt et al.,
 * "Implementation techniques for main memory database systems", SIGMOD 1984); here the client does.
 * @param work answers the items of a group in their order; when it throws, all of them fail
 * @param options.largest most items in one group. Default: 500. When a caller computes about as long as the work takes,
 *   set it below the number of callers. Then one group computes while the next one is answered, instead of all waiting
 *   and then all computing.
 * @param options.gather waits for more items after a group of several, when the work costs per group rather than per
 *   item. A single call never waits. Default: no wait. PostgreSQL has commit_delay and commit_siblings for this:
 *   https://www.postgresql.org/docs/current/runtime-config-wal.html#GUC-COMMIT-DELAY
 * @param options.longestWaitMs time after which an item whose group has not begun fails with a ServiceUnavailableError, and
 *   is not worked on. Work that stands still then does not gather more and more items, whose callers have long given up.
 *   Default: no limit
 */
export function createGroupCommit<T, R>(
  work: (items: T[]) => Promise<GroupResult<R>[]>,
  options: {
    readonly largest?: number;
    readonly gather?: () => Promise<unknown>;
    readonly longestWaitMs?: number;
  } = {},
): GroupCommit<T, R> {
  const { largest = 500, longestWaitMs } = options;
  interface Waiting {
    readonly item: T;
    readonly since: number;
    resolve(value: R): void;
    reject(error: unknown): void;
  }
  let waiting: Waiting[] = [];
  let underWay = false;
  let timer: NodeJS.Timeout | undefined;

  /** Refuses items as soon as they have waited too long. */
  function watch(limitMs: number, inMs = limitMs): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      const late = performance.now() - limitMs;
      while (waiting[0] && waiting[0].since <= late)
        waiting
          .shift()!
          .reject(new ServiceUnavailableError('The database is too slow, so nothing was done: try again in a moment.'));
      if (waiting[0]) watch(limitMs, waiting[0].since - late);
    }, inMs).unref();
  }

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const group = waiting.slice(0, largest);
      waiting = waiting.slice(largest);
      try {
        const results = await work(group.map(({ item }) => item));
        group.forEach(({ resolve, reject }, index) => {
          const result = results[index]!;
          if ('error' in result) reject(result.error);
          else resolve(result.value);
        });
      } catch (error) {
        group.forEach(({ reject }) => reject(error));
      }
      if (group.length > 1) await options.gather?.();
    }
    underWay = false;
  }

  return (item) =>
    new Promise<R>((resolve, reject) => {
      waiting.push({ item, since: performance.now(), resolve, reject });
      if (underWay) {
        if (longestWaitMs !== undefined) watch(longestWaitMs);
        return;
      }
      underWay = true;
      // All calls of this turn of the event loop join the first group.
      setImmediate(() => void run());
    });
}
