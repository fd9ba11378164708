import type { Types } from 'mongoose';
import { RevocationKind, type Models, type Revocation } from '../../../models/index.js';
import { isDuplicateKey } from '../../storage/database.js';
import { longestSessionTokenMs, longestTokenMs } from '../access-token.js';
import type { RevocationRecord } from './revocation-list.js';

/** One subject to revoke, within an organization. */
export interface RevokedSubject {
  readonly kind: RevocationKind;
  /** Username, or the hexadecimal id of an organization, a session or an API key. */
  readonly subject: string;
  /** For a user: true refuses every later credential too, false ends that. Absent leaves it unchanged. */
  readonly blocked?: boolean;
}

/** The revocations in MongoDB, which decide. Redis and memory hold copies. */
export interface RevocationStore {
  /**
   * Stores revocations, then raises the epoch. A process that reads the new epoch finds them.
   * @returns the new epoch
   */
  record(
    organization: Types.ObjectId,
    subjects: readonly RevokedSubject[],
  ): Promise<{ readonly epoch: number; readonly records: RevocationRecord[] }>;
  /** The number of the latest revocation; 0 before the first one. */
  epoch(): Promise<number>;
  /** Raises that number to at least this one. Processes that have seen a higher one read the revocations again. */
  raiseEpoch(least: number): Promise<void>;
  /** Reads the revocations recorded since a time of MongoDB's clock; all of them when it is null. */
  read(since: Date | null): Promise<Revocation[]>;
}

const epochId = 'revocations';
/** Extra time for which a revocation is kept, in case clocks differ. Milliseconds. */
const marginMs = 5 * 60_000;

/** Longest validity of a credential of each kind. Its revocation is kept for this time. Milliseconds. */
const lifetimeMs: Readonly<Record<RevocationKind, number>> = {
  [RevocationKind.ORGANIZATION]: longestTokenMs,
  [RevocationKind.USER]: longestTokenMs,
  [RevocationKind.SESSION]: longestSessionTokenMs,
  [RevocationKind.API_KEY]: longestTokenMs,
};

export function createRevocationStore({
  revocations,
  revocationEpochs,
}: Pick<Models, 'revocations' | 'revocationEpochs'>): RevocationStore {
  async function store(
    records: readonly (RevocationRecord & { readonly change: Pick<RevokedSubject, 'blocked'> })[],
  ): Promise<void> {
    await revocations.collection.bulkWrite(
      records.map(({ organization, kind, subject, notBefore, keepUntil, change }) => ({
        updateOne: {
          filter: { organization, kind, subject },
          update: {
            $max: { notBefore, keepUntil },
            $currentDate: { recordedAt: true },
            ...(change.blocked !== undefined && { $set: { blocked: change.blocked } }),
          },
          upsert: true,
        },
      })),
      { ordered: false },
    );
  }

  return {
    async record(organization, subjects) {
      const notBefore = new Date();
      const records = subjects.map(({ kind, subject, ...change }) => ({
        organization,
        kind,
        subject,
        notBefore,
        keepUntil: new Date(notBefore.getTime() + lifetimeMs[kind] + marginMs),
        change,
      }));
      // Two processes may store the first revocation of one subject at the same time. The unique index refuses one of
      // them, whose second attempt then updates the other's document.
      if (records.length > 0) await repeatOnDuplicate(() => store(records));
      const counted = await repeatOnDuplicate(() =>
        revocationEpochs.collection.findOneAndUpdate(
          { _id: epochId as never },
          { $inc: { value: 1 } },
          { upsert: true, returnDocument: 'after' },
        ),
      );
      return {
        epoch: (counted as unknown as { value: number }).value,
        records: records.map(({ change, ...record }) => ({ ...record, ...change })),
      };
    },
    async epoch() {
      return (await revocationEpochs.findById(epochId).lean<{ value: number } | null>())?.value ?? 0;
    },
    async raiseEpoch(least) {
      await repeatOnDuplicate(() =>
        revocationEpochs.collection.updateOne({ _id: epochId as never }, { $max: { value: least } }, { upsert: true }),
      );
    },
    read: (since) => revocations.find(since ? { recordedAt: { $gte: since } } : {}).lean<Revocation[]>(),
  };
}

async function repeatOnDuplicate<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return write();
  }
}
