import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import type { Viewer } from '../auth/viewer.js';

/** Time for which followers share one read, milliseconds. A follower that is slower reads again. */
export const sharedMs = 1_000;
/** Most readers that are remembered, and most rows that each of them shares. */
const mostReaders = 1_000;
const mostRows = 1_000;
/** Most rows of one query. */
const mostAtOnce = 200;

/** Names followers that share a check and an audit event: the same rights, seen from the same address. */
export const followerName = ({ organizationId, username, role, apiKeyId, sessionId, scopes, origin }: Viewer): string =>
  JSON.stringify([organizationId, username, role, apiKeyId, sessionId, scopes, origin.address]);

/**
 * Shares reads among followers that want the same rows at about the same time. Ids that are asked for in one turn of the
 * event loop are read together, and each id is read once per reader and second. A failed read is not shared.
 * @param read gives the rows in the order of the ids, each of which is there once
 * @returns a function that reads one row
 */
export function shareReads<R, T>(
  nameOf: (reader: R) => string,
  read: (reader: R, ids: readonly string[]) => Promise<(T | null)[]>,
): (reader: R, id: string) => Promise<T | null> {
  const shared = new LRUCache<string, Shared<R, T>>({ max: mostReaders });

  function share(reader: R): Shared<R, T> {
    // Rows leave the memory when their time is over, because they are data of patients.
    const rows = new LRUCache<string, Promise<T | null>>({ max: mostRows, ttl: sharedMs, ttlAutopurge: true });
    const made: Shared<R, T> = {
      reader,
      loader: new DataLoader((ids) => read(made.reader, ids), {
        maxBatchSize: mostAtOnce,
        cacheMap: {
          get: (id) => rows.get(id),
          set: (id, row) => rows.set(id, row),
          delete: (id) => rows.delete(id),
          clear: () => rows.clear(),
        },
      }),
    };
    return made;
  }

  return async (reader, id) => {
    const name = nameOf(reader);
    const known = shared.get(name) ?? share(reader);
    shared.set(name, known);
    // The read is made, and recorded, for a reader that asks now.
    known.reader = reader;
    try {
      return await known.loader.load(id);
    } catch (error) {
      known.loader.clear(id);
      throw error;
    }
  };
}

/** The loader of all readers of one name, and the reader that has asked last. */
interface Shared<R, T> {
  reader: R;
  readonly loader: DataLoader<string, T | null>;
}
