import { ServiceUnavailableError } from '../../errors.js';

/** Hashes computed at once: each takes a core and 46 MiB. */
const slots = 2;
/** Callers who wait for a slot; more are sent away rather than kept for seconds. */
const longestQueue = 100;

/** Lets a few at a time do what is costly on purpose, so that a flood of logins leaves the rest of the API its processor and memory. */
interface HashingGate {
  /** @throws ServiceUnavailableError when too many wait already */
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
          throw new ServiceUnavailableError('Too many logins at once: try again in a moment.');
        // Whoever leaves hands its slot over.
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
