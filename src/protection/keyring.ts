import type { KeyObject } from 'node:crypto';
import { type Types } from 'mongoose';
import { LRUCache } from 'lru-cache';
import type { DataKeyStore, WritingKeys } from './data-key-store.js';

/**
 * How long a process writes with a key without asking whether it is still the active one. A key that was retired longer
 * ago than this is written with by nobody, whatever news was lost. Milliseconds.
 */
const writingTrustMs = 60_000;

/** An id that was nowhere is not asked for again for this long. Milliseconds. */
const absenceTrustMs = 10_000;

/** Ids remembered as absent. */
const mostAbsent = 1_000;

/** The data keys that a process has met, unwrapped, in its memory: a request that follows another asks MongoDB for none. */
export interface Keyring {
  /** What an organization writes with. */
  writing(organization: Types.ObjectId): Promise<WritingKeys>;
  /** Sees to it that `find` knows these keys, where they are anywhere. */
  load(ids: Iterable<Types.ObjectId | undefined>): Promise<void>;
  /** A data key by id, in hexadecimal. */
  find(id: string): KeyObject | undefined;
  /** The active key of an organization has changed, or may have: without an organization, of all. */
  renew(organizationId?: string): void;
}

/** @param trustMs see `writingTrustMs` */
export function createKeyring(store: DataKeyStore, trustMs = writingTrustMs): Keyring {
  const known = new Map<string, KeyObject>();
  const absent = new LRUCache<string, number>({ max: mostAbsent });
  /** By organization. The promise is kept rather than its answer: those who ask at the same time ask once. */
  const writing = new Map<string, { readonly since: number; readonly keys: Promise<WritingKeys> }>();

  // By the clock on the wall, which goes on while a machine sleeps.
  const isFresh = (since: number, milliseconds: number): boolean =>
    since <= Date.now() && Date.now() < since + milliseconds;

  async function readWriting(organization: Types.ObjectId): Promise<WritingKeys> {
    const keys = await store.writing(organization);
    known.set(keys.fields.id.toHexString(), keys.fields.key);
    return keys;
  }

  return {
    async writing(organization) {
      const id = organization.toHexString();
      const present = writing.get(id);
      if (present && isFresh(present.since, trustMs)) return present.keys;
      const entry = { since: Date.now(), keys: readWriting(organization) };
      writing.set(id, entry);
      // What failed is not remembered.
      entry.keys.catch(() => writing.get(id) === entry && writing.delete(id));
      return entry.keys;
    },

    async load(ids) {
      const wanted = new Map<string, Types.ObjectId>();
      let last: Types.ObjectId | undefined;
      for (const id of ids) {
        // Documents of one page have the same key, all but a few.
        if (id === undefined || last?.equals(id)) continue;
        last = id;
        const key = id.toHexString();
        if (!known.has(key) && !isFresh(absent.get(key) ?? 0, absenceTrustMs)) wanted.set(key, id);
      }
      if (wanted.size === 0) return;
      const found = await store.find([...wanted.values()]);
      for (const key of wanted.keys()) {
        if (found.has(key)) known.set(key, found.get(key)!);
        else absent.set(key, Date.now());
      }
    },

    find: (id) => known.get(id),

    renew(organizationId) {
      if (organizationId === undefined) writing.clear();
      else writing.delete(organizationId);
    },
  };
}
