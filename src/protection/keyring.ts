import type { KeyObject } from 'node:crypto';
import { type Types } from 'mongoose';
import { LRUCache } from 'lru-cache';
import type { DataKeyStore, WritingKeys } from './data-key-store.js';

/**
 * Time for which a process writes with a key before it asks again which key is active. When a key was retired longer
 * ago, no process writes with it any more, even if an event was lost. Milliseconds.
 */
const writingTrustMs = 60_000;

/** Time for which an unknown key id is not looked up again. Milliseconds. */
const absenceTrustMs = 10_000;

/** Largest number of unknown key ids that are remembered. */
const mostAbsent = 1_000;

/** The data keys that a process has used, unwrapped, in its memory. Most requests then read no key from MongoDB. */
export interface Keyring {
  /** The keys that an organization writes with. */
  writing(organization: Types.ObjectId): Promise<WritingKeys>;
  /** Loads these keys, so that `find` gives them. Keys that do not exist are skipped. */
  load(ids: Iterable<Types.ObjectId | undefined>): Promise<void>;
  /** A loaded data key by hexadecimal id. */
  find(id: string): KeyObject | undefined;
  /**
   * Forgets which key of an organization is active, as it may have changed. Without an id, does so for all
   * organizations.
   */
  renew(organizationId?: string): void;
}

/** @param trustMs see `writingTrustMs` */
export function createKeyring(store: DataKeyStore, trustMs = writingTrustMs): Keyring {
  const known = new Map<string, KeyObject>();
  const absent = new LRUCache<string, number>({ max: mostAbsent });
  /** Active keys by organization. Promises are kept, so that callers at the same time share one read. */
  const writing = new Map<string, { readonly since: number; readonly keys: Promise<WritingKeys> }>();

  // The system clock is used because it continues while the machine sleeps.
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
      // A failed read is forgotten, so that the next caller reads again.
      entry.keys.catch(() => writing.get(id) === entry && writing.delete(id));
      return entry.keys;
    },

    async load(ids) {
      const wanted = new Map<string, Types.ObjectId>();
      let last: Types.ObjectId | undefined;
      for (const id of ids) {
        // Most documents of a page have the same key as the one before.
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
