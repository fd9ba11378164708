import { ServiceUnavailableError } from '../../errors.js';

/** Largest number of hashes that are computed at the same time. Each takes a core and 46 MiB. */
const slots = 2;
/** Largest number of callers that wait for a slot. More are refused immediately, instead of waiting for seconds. */
const longestQueue = 100;

/**
 * Limits how many hashes are computed at the same time: a flood of logins must leave processor time and memory to the
 * rest of the API.
 */
interface HashingGate {
  /** Runs work when a slot is free. @throws ServiceUnavailableError when too many callers wait already */
  run<T>(work: () => Promise<T>): Promise<T>;
}

export function createHashingGate(): HashingGate {
  let running = 0;
  const waiting: (() => void)[] = [];
  return {
    async run(work) {
      if (running < slots) running += 1;
      else {
        if (waiting.length >= longestQueue)
          throw new ServiceUnavailableError('Too many logins at the same time: try again in a moment.');
        // A caller that ends hands its slot to the first one that waits.
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next) next();
        else running -= 1;
      }
    },
  };
}
