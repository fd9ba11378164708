/** Hands single items on in groups; each caller gets the answer to its own item. */
export type GroupCommit<T, R> = (item: T) => Promise<R>;

/** What became of one item of a group. */
export type GroupResult<R> = { readonly value: R } | { readonly error: unknown };

/**
 * Gathers calls that happen at the same time into one round trip: while a group is on its way, what arrives meanwhile
 * forms the next one. A lone call goes at once and waits for nobody. This is how databases commit (group commit,
 * DeWitt et al., "Implementation techniques for main memory database systems", SIGMOD 1984), applied to the client.
 * @param work answers the items of a group in their order; when it throws, all of them fail
 * @param options.largest number of items handed on together. Smaller than what calls at once where the callers compute as much as
 *   the work costs: then one group computes while the next one is answered, rather than all waiting and all computing. Default: 500
 * @param options.gather waits for more after a group of several, where the work costs by the group rather than by the item; what
 *   was called alone waits for nobody. PostgreSQL's commit_delay and commit_siblings:
 *   https://www.postgresql.org/docs/current/runtime-config-wal.html#GUC-COMMIT-DELAY. Default: not at all
 */
export function createGroupCommit<T, R>(
  work: (items: T[]) => Promise<GroupResult<R>[]>,
  options: { readonly largest?: number; readonly gather?: () => Promise<unknown> } = {},
): GroupCommit<T, R> {
  const { largest = 500 } = options;
  interface Waiting {
    readonly item: T;
    resolve(value: R): void;
    reject(error: unknown): void;
  }
  let waiting: Waiting[] = [];
  let underWay = false;

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
      waiting.push({ item, resolve, reject });
      if (underWay) return;
      underWay = true;
      // Everything that is already due in this turn of the event loop joins the first group.
      setImmediate(() => void run());
    });
}
