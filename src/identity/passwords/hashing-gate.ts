import { ServiceUnavailableError } from '../../errors.js';

/** Largest number of hashes that are computed at the same time. Each takes a core and 46 MiB. */
const slots = 2;
/** Largest number of callers that wait for a slot. More are refused immediately, instead of waiting for seconds. */
const longestQueue = 100;

/**
 * Limits how many hashes are computed at the same time: a flood of logins must leave processor time and memory to the
 * rest of the API. Each organization has a queue of its own, and the queues take turns. So an organization that floods
 * delays itself and no other.
 */
interface HashingGate {
  /**
   * Runs work when a slot is free.
   * @param queue the organization; all organizations that do not exist share one
   * @throws ServiceUnavailableError when too many callers wait already, and this queue is the longest
   */
  run<T>(queue: string, work: () => Promise<T>): Promise<T>;
}

interface Waiter {
  begin(): void;
  refuse(): void;
}

export function createHashingGate(): HashingGate {
  let running = 0;
  let waiting = 0;
  /** Queues in the order in which they get the next slots. */
  const queues = new Map<string, Waiter[]>();

  /** Takes a waiter out of a queue. A queue that is left goes to the end of the line. */
  function take(queue: string, which: 'first' | 'last'): Waiter {
    const waiters = queues.get(queue)!;
    const waiter = which === 'first' ? waiters.shift()! : waiters.pop()!;
    waiting -= 1;
    if (waiters.length === 0) queues.delete(queue);
    else if (which === 'first') {
      queues.delete(queue);
      queues.set(queue, waiters);
    }
    return waiter;
  }
  function longest(): string {
    return [...queues].reduce((most, next) => (next[1].length > most[1].length ? next : most))[0];
  }

  function wait(queue: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiters = queues.get(queue) ?? [];
      queues.set(queue, waiters);
      waiters.push({
        begin: resolve,
        refuse: () => reject(new ServiceUnavailableError('Too many logins at the same time: try again in a moment.')),
      });
      waiting += 1;
      // The last one of the longest queue has waited for the shortest time.
      if (waiting > longestQueue) take(longest(), 'last').refuse();
    });
  }

  return {
    async run(queue, work) {
      if (running < slots) running += 1;
      else await wait(queue);
      try {
        return await work();
      } finally {
        // A caller that ends hands its slot to the first one of the next queue.
        const [next] = queues.keys();
        if (next !== undefined) take(next, 'first').begin();
        else running -= 1;
      }
    },
  };
}
