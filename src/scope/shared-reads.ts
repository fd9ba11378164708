import { setImmediate as turn } from 'node:timers/promises';

/**
 * Reads what others want to read at the same time, once for all of them.
 * @param key tells which reads are the same: equal keys mean equal results
 * @param read runs after all callers that share it have asked. So each sees what was stored before it asked
 */
export type SharedReads = <R>(key: string, read: () => Promise<R>) => Promise<R>;

/**
 * Shares reads among the callers of one process. A caller joins a read only if it has not been sent. While a read is
 * under way, callers of the same key gather for the next one. Callers get the same object, and must not change it.
 */
export function createSharedReads(): SharedReads {
  const waiting = new Map<string, Promise<unknown>>();
  const underWay = new Map<string, Promise<unknown>>();

  async function send(key: string, read: () => Promise<unknown>): Promise<unknown> {
    // All calls of this turn of the event loop join the first read.
    await (underWay.get(key)?.catch(() => undefined) ?? turn());
    waiting.delete(key);
    const reading = read();
    underWay.set(key, reading);
    try {
      return await reading;
    } finally {
      if (underWay.get(key) === reading) underWay.delete(key);
    }
  }

  return <R>(key: string, read: () => Promise<R>) => {
    const joined = (waiting.get(key) as Promise<R> | undefined) ?? (send(key, read) as Promise<R>);
    waiting.set(key, joined);
    return joined;
  };
}
