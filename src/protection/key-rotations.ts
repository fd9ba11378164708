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
 * How long a retired key is kept at least: far longer than any process goes on writing with it (`writingTrustMs`), and than
 * a write can be under way. Milliseconds.
 */
const retiredKeyGraceMs = 3_600_000;

/** Carries out the rotations that were asked for, in MongoDB. Any number of processes may, and be killed at any point. */
export interface KeyRotations {
  /**
   * Works on one rotation for about as long as it may, and leaves it for whoever comes next.
   * @returns false when there was none to work on: only those that want this process's present master key are
   */
  work(sliceMs?: number): Promise<boolean>;
  /** Deletes the keys that were retired long enough ago and encrypt nothing any more. @returns how many */
  deleteRetiredKeys(graceMs?: number): Promise<number>;
}

interface KeyRotationDependencies {
  readonly models: Models;
  readonly protection: StartedProtection;
  /** Tells the other processes of a new key at once; without, they find out by themselves. */
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

  /** From here on everybody writes with the new key, at the latest when what they know of the old one is no longer trusted. */
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

  /** Goes on with the present pass. @returns whether the last pass has left nothing but what cannot be decrypted */
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
        // Somebody thought us dead and goes on from where we were.
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

  /** Unless somebody wants yet another master key meanwhile. */
  async function complete({ _id, organization, masterKey }: KeyRotation): Promise<void> {
    // The new key may have been made by a process whose present master key is another one.
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
      logError(logger, error, 'not encrypted again: it cannot be decrypted', { level: 'warn' }),
    );
  }

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
        // Written by a process that had not heard of the new key when the rotation ended.
        await resealStragglers(organization, _id);
        if ((await countSealed(protectedCollections(models), organization, [_id])) > 0) continue;
        deleted += (await dataKeys.deleteOne({ _id, state: DataKeyState.RETIRED })).deletedCount;
      }
      return deleted;
    },
  };
}
