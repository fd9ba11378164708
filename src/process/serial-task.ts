/** Runs a task, one run at a time. */
interface SerialTask {
  /**
   * Runs the task. A call during a run causes one more run after it, because the present one may have begun too early.
   * Calls that wait for the same run share it. @throws the error of the run
   */
  run(): Promise<void>;
  /** Waits for the runs under way, without their errors. */
  settled(): Promise<void>;
}

export function createSerialTask(task: () => Promise<void>): SerialTask {
  let present: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  function run(): Promise<void> {
    if (!present) return (present = task().finally(() => (present = undefined)));
    next ??= present
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return run();
      });
    return next;
  }

  return { run, settled: async () => void (await Promise.allSettled([present, next])) };
}
