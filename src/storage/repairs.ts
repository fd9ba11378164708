/*
 * Repairs: they make derived data for documents that were stored without them. A migration is a repair that is complete
 * before a process serves. Step by step:
 *
 *   1. A repair is stored in MongoDB under its name. It begins at the first document.
 *   2. A worker claims it: it takes a lease, so that no other worker works on it at the same time.
 *   3. It handles documents in batches, in the order of their ids, and stores its position after each batch.
 *   4. After its slice of time it gives the repair up, so that any worker can continue.
 *   5. After the last document the repair is marked as finished.
 *
 * A batch may be handled twice: when a worker dies, another one continues at the stored position.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Types } from 'mongoose';
import type { Logger } from 'pino';
import type { Models, Repair } from '../../models/index.js';
import { isDuplicateKey } from './database.js';

/** One collection that a repair goes through. */
export interface RepairPass {
  readonly collectionName: string;
  /** @returns the number of documents. An estimate is enough: it is for the progress alone */
  count(): Promise<number>;
  /**
   * Handles the next documents after an id, in the order of their ids.
   * @returns the id of the last one and how many there were; null when there are none
   */
  handle(after: Types.ObjectId | undefined): Promise<{ readonly last: Types.ObjectId; readonly count: number } | null>;
}

/** Carries out repairs. Any number of processes may do so, and each may be killed at any point. */
export interface Repairs {
  /**
   * Stores a repair that begins at the first document, unless it is stored already.
   * @param graceMs time to wait before it begins, so that writes of before the request have ended. @defaultValue 0
   */
  request(name: string, passes: readonly RepairPass[], graceMs?: number): Promise<void>;
  /** @returns null for a repair that was never requested */
  find(name: string): Promise<Repair | null>;
  /**
   * Works on a repair for about `sliceMs`.
   * @returns true when there is nothing more to do for it
   */
  work(name: string, passes: readonly RepairPass[], sliceMs?: number): Promise<boolean>;
  /**
   * Works on a repair until it is finished, or waits for the process that does. It is requested first.
   * @param onProgress told after each round, and only while there is something to do
   */
  complete(
    name: string,
    passes: readonly RepairPass[],
    options?: { readonly graceMs?: number; readonly onProgress?: (repair: Repair) => void },
  ): Promise<void>;
  /** Forgets a repair, so that it can be requested again. */
  forget(name: string): Promise<void>;
}

/** Pause between two looks at a repair that another process works on, milliseconds. */
const completionPauseMs = 100;
/** Period between two lines of the log about a repair that is completed in one go, milliseconds. */
const progressLogMs = 2_000;

/** The way in which a process works on a repair that it has claimed. */
interface Slice {
  /** Milliseconds after which it gives the repair up. */
  readonly sliceMs: number;
  readonly onProgress?: (repair: Repair) => void;
}

export function createRepairs({
  models: { repairs },
  leaseMs,
  logger,
}: {
  readonly models: Pick<Models, 'repairs'>;
  /** A repair whose worker is silent for this long is taken over. Milliseconds. */
  readonly leaseMs: number;
  readonly logger: Logger;
}): Repairs {
  const leaseEnd = (): Date => new Date(Date.now() + leaseMs);
  const find = (name: string): Promise<Repair | null> => repairs.findById(name).lean<Repair>();

  async function goThrough(
    repair: Repair,
    passes: readonly RepairPass[],
    token: string,
    { sliceMs, onProgress }: Slice,
  ): Promise<boolean> {
    const { _id } = repair;
    let { processed } = repair;
    const until = performance.now() + sliceMs;
    let logAt = performance.now() + progressLogMs;
    const first = Math.max(
      0,
      passes.findIndex(({ collectionName }) => collectionName === repair.position?.collectionName),
    );
    for (const [index, pass] of passes.slice(first).entries()) {
      let after = index === 0 ? repair.position?.after : undefined;
      for (;;) {
        const handled = await pass.handle(after);
        if (!handled) break;
        after = handled.last;
        processed += handled.count;
        const position = { collectionName: pass.collectionName, after };
        const { matchedCount } = await repairs.updateOne(
          { _id, 'lease.token': token },
          { $set: { processed, position, 'lease.expiresAt': leaseEnd() } },
        );
        // Either the lease has expired, or the time of this slice is over: a worker continues at the stored position.
        if (matchedCount === 0) return false;
        onProgress?.({ ...repair, processed });
        const now = performance.now();
        if (now > until || now > logAt) {
          logger.info({ repair: _id, processed, total: Math.max(repair.total, processed) }, 'repair goes on');
          logAt = now + progressLogMs;
        }
        if (now > until) return false;
      }
    }
    const { matchedCount } = await repairs.updateOne(
      { _id, 'lease.token': token },
      { $set: { processed, finishedAt: new Date() } },
    );
    if (matchedCount > 0) logger.info({ repair: _id, processed }, 'repair finished');
    return matchedCount > 0;
  }

  async function work(name: string, passes: readonly RepairPass[], slice: Slice): Promise<boolean> {
    const token = randomUUID();
    const claimed = await repairs
      .findOneAndUpdate(
        {
          _id: name,
          finishedAt: { $exists: false },
          notBefore: { $lte: new Date() },
          $or: [{ lease: { $exists: false } }, { 'lease.expiresAt': { $lt: new Date() } }],
        },
        { $set: { lease: { token, expiresAt: leaseEnd() } } },
        { returnDocument: 'after' },
      )
      .lean<Repair>();
    if (!claimed) return (await find(name))?.finishedAt !== undefined;
    try {
      return await goThrough(claimed, passes, token, slice);
    } finally {
      await repairs.updateOne({ _id: name, 'lease.token': token }, { $unset: { lease: 1 } }).catch(() => undefined);
    }
  }

  const own: Repairs = {
    find,
    async request(name, passes, graceMs = 0) {
      if (await find(name)) return;
      const counts = await Promise.all(passes.map((pass) => pass.count()));
      const total = counts.reduce((sum, count) => sum + count, 0);
      const now = new Date();
      const repair: Repair = {
        _id: name,
        total,
        processed: 0,
        startedAt: now,
        notBefore: new Date(now.getTime() + graceMs),
        ...(total === 0 && graceMs === 0 && { finishedAt: now }),
      };
      await repairs.collection.insertOne(repair as never).catch((error: unknown) => {
        if (!isDuplicateKey(error)) throw error;
      });
      if (total > 0) logger.info({ repair: name, total }, 'repair started');
    },
    work: (name, passes, sliceMs = 1_000) => work(name, passes, { sliceMs }),
    async complete(name, passes, { graceMs, onProgress } = {}) {
      await own.request(name, passes, graceMs);
      while (!(await work(name, passes, { sliceMs: Infinity, ...(onProgress && { onProgress }) }))) {
        const repair = await find(name);
        if (repair) onProgress?.(repair);
        await delay(completionPauseMs);
      }
    },
    async forget(name) {
      await repairs.deleteOne({ _id: name });
    },
  };
  return own;
}
