/** Calls a function at most once a period a key, the last call never lost. */
export interface Throttle {
  call(key: string): void;
  /** Makes the call for a key that is held back, if one is. */
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
