/** Folds a fast sequence of reports into at most one a period; the latest wins. */
export interface ProgressReporter<T> {
  report(progress: T): void;
  /** Forgets what is not written yet and waits for a write under way, so that nothing follows the terminal state. */
  stop(): Promise<void>;
}

/** Period between two progress events of a job, in milliseconds. */
export const progressPeriodMs = 100;

/**
 * The first report waits a period too: a job that is done before then needs none.
 * @param write must not reject; runs one at a time
 */
export function createProgressReporter<T>(write: (progress: T) => Promise<unknown>, periodMs = progressPeriodMs): ProgressReporter<T> {
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
