/** Folds a fast sequence of reports into at most one report per period, the latest one. */
interface ProgressReporter<T> {
  report(progress: T): void;
  /** Drops the unwritten report and waits for a write under way, so that no report follows the terminal state. */
  stop(): Promise<void>;
}

/** Period between two progress events of a job, in milliseconds. */
export const progressPeriodMs = 100;

/**
 * Also the first report waits for one period: a job that ends earlier needs no report.
 * @param write must not reject; only one write runs at a time
 */
export function createProgressReporter<T>(
  write: (progress: T) => Promise<unknown>,
  periodMs = progressPeriodMs,
): ProgressReporter<T> {
  let latest: T | undefined;
  let writing: Promise<unknown> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  async function flush(): Promise<void> {
    const progress = latest!;
    latest = undefined;
    writing = write(progress);
    await writing;
    timer = undefined;
    arm();
  }
  function arm(): void {
    if (!stopped && latest !== undefined) timer ??= setTimeout(() => void flush(), periodMs);
  }

  return {
    report(progress) {
      latest = progress;
      arm();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await writing;
    },
  };
}

/** Makes at most one call per period for each key. The last call is never lost. */
interface Throttle {
  call(key: string): void;
  /** Makes the call for this key that is held back, if there is one. */
  flush(key: string): void;
  /** Makes the calls that are held back, and waits for those under way. */
  close(): Promise<void>;
}

/** @param work must not reject */
export function createThrottle(periodMs: number, work: (key: string) => Promise<void>): Throttle {
  const timers = new Map<string, NodeJS.Timeout>();
  const again = new Set<string>();
  const underWay = new Set<Promise<void>>();

  async function start(key: string): Promise<void> {
    again.delete(key);
    const promise = work(key);
    underWay.add(promise);
    await promise;
    underWay.delete(promise);
  }
  function call(key: string): void {
    if (timers.has(key)) {
      again.add(key);
      return;
    }
    void start(key);
    timers.set(
      key,
      setTimeout(() => {
        timers.delete(key);
        if (again.has(key)) call(key);
      }, periodMs),
    );
  }
  return {
    call,
    flush(key) {
      if (again.has(key)) void start(key);
    },
    async close() {
      timers.forEach((timer) => clearTimeout(timer));
      timers.clear();
      for (const key of [...again]) void start(key);
      await Promise.all(underWay);
    },
  };
}
