import { setImmediate as turn } from 'node:timers/promises';

/** Items that are mapped in one turn of the event loop, in about a millisecond. */
const stepLength = 25;

/** Maps a long list in steps, so that other callers get their turns in between. */
export async function mapInSteps<T, R>(items: readonly T[], map: (item: T) => R): Promise<R[]> {
  const mapped: R[] = [];
  for (const item of items) {
    if (mapped.length > 0 && mapped.length % stepLength === 0) await turn();
    mapped.push(map(item));
  }
  return mapped;
}
