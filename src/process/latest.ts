/** The latest value of something that is slow to read. */
interface Latest<T> {
  /** Gives the latest value at once, and begins to read the next one when this one is old. Undefined before the first. */
  get(): T | undefined;
  /** Seconds since the value was read. Infinity before the first. */
  ageSeconds(): number;
}

/**
 * Keeps the latest value of something that is slow to read. The caller never waits: it gets the value of before, however
 * old that is. One read runs at a time. A read that fails leaves the value as it is.
 * @param ageMs age from which a value is read again, milliseconds
 */
export function keepLatest<T>(read: () => Promise<T>, ageMs: number): Latest<T> {
  let latest: { readonly value: T; readonly at: number } | undefined;
  let reading = false;
  const ageOf = (): number => (latest ? performance.now() - latest.at : Infinity);
  return {
    get() {
      if (!reading && ageOf() >= ageMs) {
        reading = true;
        void read()
          .then(
            (value) => (latest = { value, at: performance.now() }),
            () => undefined,
          )
          .finally(() => (reading = false));
      }
      return latest?.value;
    },
    ageSeconds: () => ageOf() / 1_000,
  };
}
