import { setTimeout as delay } from 'node:timers/promises';

import { describeExit } from './child-exit.js';
import type { Engine } from './engine.js';
import { reasonOf } from './thrown.js';

/** Says that an engine died, or did not start again. */
export interface UnexpectedExit {
  engine: string;
  /** The reason in one phrase, e.g. `was killed by SIGKILL`. */
  reason: string;
  /** It is started again after this many milliseconds. */
  restartInMs: number;
}

/**
 * Waits between restarts, in milliseconds. They double from `first` up to `longest`. After a process has run for
 * `healthyAfter`, they begin with `first` again.
 */
const backoff = { first: 100, longest: 5_000, healthyAfter: 10_000 } as const;

/**
 * Starts a process, and starts it again at the same URL each time it ends unexpectedly.
 * A failure of the first start is thrown to the caller. Later failures are reported, and the start is tried again.
 *
 * @param start starts it; `again` asks for the URL of the last start
 * @param explain completes the reason of an exit, e.g. when its disk is full
 */
export async function supervise(
  name: string,
  start: (again: boolean) => Promise<Engine>,
  onUnexpectedExit: (event: UnexpectedExit) => void,
  explain: (reason: string) => Promise<string> = async (reason) => reason,
): Promise<{ url: string; pid: () => number; stop: () => Promise<void> }> {
  const stopping = new AbortController();
  let current = await start(false);

  const watch = async (): Promise<void> => {
    let wait: number = backoff.first;
    while (!stopping.signal.aborted) {
      const startedAt = Date.now();
      let reason = describeExit(await current.exited);
      if (Date.now() - startedAt > backoff.healthyAfter) wait = backoff.first;
      for (let running = false; !running && !stopping.signal.aborted;) {
        onUnexpectedExit({ engine: name, reason: await explain(reason), restartInMs: wait });
        await delay(wait, undefined, { signal: stopping.signal }).catch(() => undefined);
        if (stopping.signal.aborted) return;
        wait = Math.min(wait * 2, backoff.longest);
        try {
          current = await start(true);
          running = true;
        } catch (error) {
          reason = reasonOf(error);
        }
      }
    }
  };
  const watching = watch();

  return {
    url: current.url,
    pid: () => current.pid,
    stop: async () => {
      stopping.abort();
      await current.stop();
      await watching;
      // A restart may have begun before the stop.
      await current.stop();
    },
  };
}
