/*
 * Key rotation: gives an organization a new data key, and encrypts its documents again under that key. Step by step:
 *
 *   1. `requestRotations` (request-rotations.ts) stores a rotation in MongoDB.
 *   2. A worker claims a rotation: it takes a lease, so that no other worker works on it at the same time.
 *   3. It wraps all data keys of the organization under the present master key.
 *   4. It retires the old data key and makes a new one. From then on all processes write with the new one.
 *   5. It encrypts the documents again in rounds (reseal.ts), and stores its position after each round.
 *   6. It passes over the documents again until only documents that cannot be decrypted are left under retired keys.
 *   7. It marks the rotation as completed. A retired key that encrypts nothing is deleted after an hour or later.
 *
 * Claim: to take a rotation that no living worker holds. Lease: the right to work on it until `lease.expiresAt`. Every
 * round extends the lease. If its worker dies, the lease expires, and another worker claims the rotation at the stored
 * position.
 */
import { randomUUID } from 'node:crypto';
import type { Types } from 'mongoose';
import type { Logger } from 'pino';
import {
  DataKeyPurpose,
  DataKeyState,
  KeyRotationState,
  type StoredDataKey,
  type KeyRotation,
  type Models,
} from '../../models/index.js';
import type { EventBus } from '../events/event-bus.js';
import type { CiphertextError } from './errors.js';
import type { StartedProtection } from './start-protection.js';
import { countSealed, protectedCollections } from './protected-collections.js';
import { reseal } from './reseal.js';
import { logError } from '../process/logger.js';

/**
 * Milliseconds for which a retired key is kept at least. A process writes with it for `writingTrustMs` at most, which
 * is far shorter. So is a write.
 */
const retiredKeyGraceMs = 3_600_000;

/** Carries out the requested rotations. Any number of processes may do so, and each may be killed at any point. */
export interface KeyRotations {
  /**
   * Works on one rotation for about `sliceMs`, then gives it up, so that any worker can continue.
   * @returns false when there is no rotation to work on. Only rotations to this process's present master key count.
   */
  work(sliceMs?: number): Promise<boolean>;
  /** Deletes keys that were retired at least `graceMs` ago and encrypt nothing any more. @returns how many */
  deleteRetiredKeys(graceMs?: number): Promise<number>;
}

interface KeyRotationDependencies {
  readonly models: Models;
  readonly protection: StartedProtection;
  /** Tells other processes of a new key at once. Without it they notice within a minute (`writingTrustMs`). */
  readonly events?: Pick<EventBus, 'publish'>;
  /** A rotation whose worker is silent for this long is taken over. Milliseconds. */
  readonly leaseMs: number;
  readonly logger: Logger;
}

export function createKeyRotations({
  models,
  protection: { store, keyring, protectionOf },
  events,
  leaseMs,
  logger,
}: KeyRotationDependencies): KeyRotations {
  const { keyRotations, dataKeys } = models;
  const collections = protectedCollections(models).filter(({ appendOnly }) => !appendOnly);

  const leaseEnd = (): Date => new Date(Date.now() + leaseMs);

  /** Takes the oldest rotation without a lease, or with an expired one. Null when there is none. */
  async function claim(token: string): Promise<KeyRotation | null> {
    return keyRotations
      .findOneAndUpdate(
        {
          unfinished: true,
          masterKey: store.masterKeyId,
          $or: [{ lease: { $exists: false } }, { 'lease.expiresAt': { $lt: new Date() } }],
        },
        { $set: { lease: { token, expiresAt: leaseEnd() } } },
        { sort: { _id: 1 }, returnDocument: 'after' },
      )
      .lean<KeyRotation>();
  }

  async function retiredKeys(organization: Types.ObjectId): Promise<Types.ObjectId[]> {
    const retired = await dataKeys
      .find({ organization, purpose: DataKeyPurpose.FIELDS, state: DataKeyState.RETIRED }, { _id: 1 })
      .lean<Pick<StoredDataKey, '_id'>[]>();
    return retired.map(({ _id }) => _id);
  }

  /**
   * Replaces the data key. All processes write with the new one from now on, or at the latest after `writingTrustMs`.
   */
  async function begin({ _id, organization, replaces }: KeyRotation): Promise<KeyRotation> {
    await store.retire(replaces);
    keyring.renew(organization.toHexString());
    await keyring.writing(organization);
    events?.publish('dataKeysChanged', { organizationId: organization.toHexString() });
    const total = await countSealed(collections, organization, await retiredKeys(organization));
    logger.info({ organizationId: organization.toHexString(), documents: total }, 'key rotation started');
    return keyRotations
      .findOneAndUpdate(
        { _id },
        { $set: { state: KeyRotationState.ACTIVE, startedAt: new Date(), total } },
        { returnDocument: 'after' },
      )
      .lean<KeyRotation>()
      .orFail();
  }

  /**
   * Continues the present pass.
   * @returns true when only documents that cannot be decrypted are left under retired keys
   */
  async function resealSome(rotation: KeyRotation, token: string, until: number): Promise<boolean> {
    const { _id, organization } = rotation;
    const retired = await retiredKeys(organization);
    let { processed, failed } = rotation;
    const first = Math.max(
      0,
      collections.findIndex(({ model }) => model.collection.name === rotation.position?.collectionName),
    );
    for (const [index, target] of collections.slice(first).entries()) {
      const after = index === 0 ? rotation.position?.after : undefined;
      for await (const round of reseal(target, organization, protectionOf(organization), retired, after)) {
        warnOf(round.failed);
        failed += round.failed.length;
        processed = Math.min(rotation.total, processed + round.read - round.failed.length);
        const progress = {
          processed,
          failed,
          position: { collectionName: target.model.collection.name, after: round.last },
          'lease.expiresAt': leaseEnd(),
        };
        const { matchedCount } = await keyRotations.updateOne({ _id, 'lease.token': token }, { $set: progress });
        // Either the lease has expired, or the time of this slice is over: a worker continues at the stored position.
        if (matchedCount === 0 || performance.now() > until) return false;
      }
    }
    const remaining = await countSealed(collections, organization, retired);
    if (remaining <= failed) return true;
    await keyRotations.updateOne(
      { _id },
      { $set: { failed: 0, processed: Math.max(0, rotation.total - remaining) }, $unset: { position: 1 } },
    );
    return false;
  }

  /** Marks the rotation as completed, unless an operator asked for yet another master key meanwhile. */
  async function complete({ _id, organization, masterKey }: KeyRotation): Promise<void> {
    // A process with another present master key may have made the new data key, so all keys are wrapped again.
    await store.rewrap(organization);
    const { total, failed } = await keyRotations.findById(_id).lean<KeyRotation>().orFail();
    const { matchedCount } = await keyRotations.updateOne(
      { _id, masterKey },
      {
        $set: {
          state: KeyRotationState.COMPLETED,
          unfinished: false,
          finishedAt: new Date(),
          processed: total - failed,
        },
        $unset: { position: 1 },
      },
    );
    if (matchedCount > 0)
      logger.info({ organizationId: organization.toHexString(), documents: total, failed }, 'key rotation completed');
  }

  function warnOf(failed: readonly CiphertextError[]): void {
    failed.forEach((error) =>
      logError(logger, error, 'document not encrypted again: it cannot be decrypted, restore it from a backup', {
        level: 'warn',
      }),
    );
  }

  /** Encrypts again the documents that are still under a retired key. */
  async function resealStragglers(organization: Types.ObjectId, dataKey: Types.ObjectId): Promise<void> {
    for (const target of collections) {
      for await (const { failed } of reseal(target, organization, protectionOf(organization), [dataKey]))
        warnOf(failed);
    }
  }

  return {
    async work(sliceMs = 1_000) {
      const until = performance.now() + sliceMs;
      const token = randomUUID();
      const claimed = await claim(token);
      if (!claimed) return false;
      try {
        await store.rewrap(claimed.organization);
        const rotation = claimed.startedAt ? claimed : await begin(claimed);
        if (await resealSome(rotation, token, until)) await complete(rotation);
      } finally {
        await keyRotations
          .updateOne({ _id: claimed._id, 'lease.token': token }, { $unset: { lease: 1 } })
          .catch(() => undefined);
      }
      return true;
    },

    async deleteRetiredKeys(graceMs = retiredKeyGraceMs) {
      const retired = await dataKeys
        .find({ state: DataKeyState.RETIRED, retiredAt: { $lt: new Date(Date.now() - graceMs) } })
        .lean<StoredDataKey[]>();
      let deleted = 0;
      for (const { _id, organization } of retired) {
        if (await keyRotations.exists({ organization, unfinished: true })) continue;
        // A process that did not know the new key yet may have written documents after the rotation ended.
        await resealStragglers(organization, _id);
        if ((await countSealed(protectedCollections(models), organization, [_id])) > 0) continue;
        deleted += (await dataKeys.deleteOne({ _id, state: DataKeyState.RETIRED })).deletedCount;
      }
      return deleted;
    },
  };
}
