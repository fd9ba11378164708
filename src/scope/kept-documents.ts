import { LRUCache } from 'lru-cache';
import { mongo } from 'mongoose';

/*
 * Documents that a process has read before. MongoDB is asked at every read; what is saved is the work behind its answer.
 * A document of the very bytes that were read before is the same object again: it is not parsed, and what was decrypted
 * or written from it is found again by that object. If one byte differs, it is another document:
 * docs/decisions/0025-unchanged-documents.md.
 */

/** Gives the object of a document by its BSON. Callers share the object and cannot change it: it is frozen. */
export interface KeptDocuments {
  /** @param bytes BSON that begins with the `_id`, an ObjectId. It is copied, so it may be a part of a larger buffer */
  read<T extends object>(bytes: Uint8Array): T;
  /** Number of documents that are kept. */
  readonly size: number;
}

/** Bounds of what is kept. */
interface KeptBounds {
  /** Bytes of all documents together, as estimated by `heapPerByte`. @defaultValue 16 MiB */
  readonly mostBytes?: number;
  /** Time after which a document is parsed again, milliseconds, even if it has not changed. @defaultValue 60,000 */
  readonly longestMs?: number;
}

/** A document and the bytes that it was parsed from. */
interface Kept {
  readonly bytes: Uint8Array;
  readonly document: object;
}

/**
 * Memory of a kept document per byte of its BSON, with some room. A patient with 13 features was measured to take 4.4 times
 * its BSON of 1,360 bytes: the bytes, the object, and the decrypted fields.
 */
const heapPerByte = 6;

/** Position of the id: behind the length (4 bytes), its type (1) and its name (4). https://bsonspec.org/spec.html */
const [idStart, idEnd] = [9, 21];

export function createKeptDocuments({
  mostBytes = 16 * 1024 * 1024,
  longestMs = 60_000,
}: KeptBounds = {}): KeptDocuments {
  // The system clock is used because it continues while the machine sleeps.
  const kept = new LRUCache<string, Kept>({ maxSize: mostBytes, ttl: longestMs, perf: Date });
  let timer: NodeJS.Timeout | undefined;

  /** Lets go of the documents that are too old, as long as there are any. Personal data stay in memory no longer. */
  function watch(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      kept.purgeStale();
      if (kept.size > 0) watch();
    }, longestMs).unref();
  }

  return {
    read<T extends object>(bytes: Uint8Array): T {
      const id = Buffer.from(bytes.buffer, bytes.byteOffset + idStart, idEnd - idStart).toString('latin1');
      const known = kept.get(id);
      if (known && Buffer.compare(known.bytes, bytes) === 0) return known.document as T;
      // A copy of its own size: a view would hold the whole answer of MongoDB in memory.
      const own = new Uint8Array(bytes);
      const document = frozen(mongo.BSON.deserialize(own)) as T;
      kept.set(id, { bytes: own, document }, { size: own.length * heapPerByte });
      watch();
      return document;
    },
    get size() {
      return kept.size;
    },
  };
}

/** Freezes the objects and arrays of a document. Dates, ids and bytes are values: their owners never change them. */
function frozen(value: object): object {
  for (const inner of Object.values(value))
    if (Array.isArray(inner) || (typeof inner === 'object' && Object.getPrototypeOf(inner ?? 0) === Object.prototype))
      frozen(inner as object);
  return Object.freeze(value);
}
