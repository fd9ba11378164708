import type { WorkState } from '../src/monitoring/heartbeats.js';

/**
 * Time after which the work of one entry counts as stuck, milliseconds. The largest chunk takes seconds, and each read
 * of a database has a time limit of its own.
 */
const stuckAfterMs = 600_000;

/** The work that this process does, for its signs of life. */
export interface WorkPulse {
  /** Runs the work of one entry, and notes its begin and end. */
  run<T>(work: () => Promise<T>): Promise<T>;
  state(): WorkState;
  /** True when an entry takes far longer than any should: only a new process helps. */
  isStuck(): boolean;
}

/** @param now milliseconds of a clock that never goes back */
export function createWorkPulse(now: () => number = () => performance.now()): WorkPulse {
  // The order of a set is that of insertion, so the first entry is the oldest.
  const begun = new Set<{ readonly at: number }>();
  let lastStep: number | undefined;
  return {
    async run(work) {
      const entry = { at: (lastStep = now()) };
      begun.add(entry);
      try {
        return await work();
      } finally {
        begun.delete(entry);
        lastStep = now();
      }
    },
    state: () => ({ running: begun.size, stepAgeMs: lastStep === undefined ? undefined : now() - lastStep }),
    isStuck() {
      const [oldest] = begun;
      return oldest !== undefined && now() - oldest.at > stuckAfterMs;
    },
  };
}
