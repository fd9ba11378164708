import type { Types } from 'mongoose';
import { RevocationKind, type Models, type Revocation } from '../../../models/index.js';
import { isDuplicateKey } from '../../storage/database.js';
import { longestSessionTokenMs, longestTokenMs } from '../access-token.js';
import type { RevocationRecord } from './revocation-list.js';

/** What to revoke, within an organization. */
export interface RevokedSubject {
  readonly kind: RevocationKind;
  /** Username, or the hexadecimal id of a session or API key. */
  readonly subject: string;
  /** Of a user: whether everything is refused from now on, or no longer. Absent: as it was. */
  readonly blocked?: boolean;
}

/** The revocations in MongoDB: the truth. */
export interface RevocationStore {
  /** Stores them, then counts the epoch on: who sees the new epoch finds them. @returns the new epoch */
  record(
    organization: Types.ObjectId,
    subjects: readonly RevokedSubject[],
  ): Promise<{ readonly epoch: number; readonly records: RevocationRecord[] }>;
  /** 0 before the first revocation. */
  epoch(): Promise<number>;
  /** Those recorded since, by MongoDB's clock; all when null. */
  read(since: Date | null): Promise<Revocation[]>;
}

const epochId = 'revocations';
/** For clocks that do not agree. Milliseconds. */
const marginMs = 5 * 60_000;

const lifetimeMs: Readonly<Record<RevocationKind, number>> = {
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
      // Two first revocations of one subject at once: the unique index refuses one of them, which then finds the other's.
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
