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

/** An engine that can give way to a new process of its kind, which serves already. */
export interface ReplaceableEngine extends Engine {
  /** Ends the engine as `stop` does, and leaves its callers to the new process. */
  leave?(): Promise<void>;
}

/** A process that is started again each time it ends unexpectedly. */
export interface Supervised {
  readonly url: string;
  pid(): number;
  /** Ends the process. A second call asks it to hurry. */
  stop(): Promise<void>;
  /** Starts a new process, and then ends the present one. @throws the error of the start: the present one goes on */
  replace(): Promise<void>;
}

/**
 * Starts a process, and starts it again at the same URL each time it ends unexpectedly.
 * A failure of the first start is thrown to the caller. Later failures are reported, and the start is tried again.
 *
 * @param start starts it; `again` asks for the URL of the last start
 * @param explain completes the reason of an exit, e.g. when its disk is full
 */
export async function supervise(
  name: string,
  start: (again: boolean) => Promise<ReplaceableEngine>,
  onUnexpectedExit: (event: UnexpectedExit) => void,
  explain: (reason: string) => Promise<string> = async (reason) => reason,
): Promise<Supervised> {
  const stopping = new AbortController();
  let current = await start(false);
  let replacing: Promise<void> | undefined;

  /** Starts a process in place of one that has ended, until a start succeeds. @returns the next wait */
  async function startAgain(ended: ReplaceableEngine, firstReason: string, firstWait: number): Promise<number> {
    let reason = firstReason;
    let wait = firstWait;
    for (;;) {
      onUnexpectedExit({ engine: name, reason: await explain(reason), restartInMs: wait });
      await delay(wait, undefined, { signal: stopping.signal }).catch(() => undefined);
      wait = Math.min(wait * 2, backoff.longest);
      if (stopping.signal.aborted || current !== ended) return wait;
      try {
        const fresh = await start(true);
        // A replacement may have come first.
        if (current === ended) current = fresh;
        else await fresh.stop();
        return wait;
      } catch (error) {
        reason = reasonOf(error);
      }
    }
  }
  const watch = async (): Promise<void> => {
    let wait: number = backoff.first;
    while (!stopping.signal.aborted) {
      const watched = current;
      const startedAt = Date.now();
      const exit = await watched.exited;
      if (stopping.signal.aborted) return;
      if (watched !== current) continue;
      if (Date.now() - startedAt > backoff.healthyAfter) wait = backoff.first;
      wait = await startAgain(watched, describeExit(exit), wait);
    }
  };
  const watching = watch();

  async function replace(): Promise<void> {
    const fresh = await start(true);
    const before = current;
    current = fresh;
    await (stopping.signal.aborted ? fresh.stop() : (before.leave ?? before.stop)());
  }
  return {
    url: current.url,
    pid: () => current.pid,
    async replace() {
      await replacing?.catch(() => undefined);
      if (stopping.signal.aborted) return;
      await (replacing = replace());
    },
    async stop() {
      stopping.abort();
      await current.stop();
      await Promise.all([watching, replacing?.catch(() => undefined)]);
      // A restart may have begun before the stop.
      await current.stop();
    },
  };
}
