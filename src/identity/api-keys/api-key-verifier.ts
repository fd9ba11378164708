import { timingSafeEqual } from 'node:crypto';
import { type Types } from 'mongoose';
import type { Logger } from 'pino';
import { LRUCache } from 'lru-cache';
import { Role, type ApiKey, type Models } from '../../../models/index.js';
import { UnauthenticatedError } from '../../errors.js';
import { actions, type Action } from '../../auth/permissions.js';
import type { Identity } from '../../auth/viewer.js';
import { hashSecret, parseApiKey } from './api-key-format.js';
import { logError } from '../../process/logger.js';

/**
 * Time for which a key stays in the cache. A revocation takes effect sooner: `Revocations` checks it separately.
 * Milliseconds.
 */
const cacheMs = 60_000;
/** Largest number of keys in the cache: ids that attackers make up must not fill the memory. */
const largestCache = 10_000;
/** Accuracy of `lastUsedAt`, milliseconds. */
const lastUsedPeriodMs = 60_000;
/** Expiry given to a key that never expires, for code that needs a date. */
const neverEnds = Date.UTC(9999, 11, 31);

export interface ApiKeyVerifier {
  /**
   * Identifies the holder of an API key. It may miss a revocation of the last minute: callers also ask `Revocations`.
   * @throws UnauthenticatedError when the key is unknown, has expired, was revoked, or its secret is wrong
   */
  verify(credential: string): Promise<Identity>;
  /** Tells whether a key with this id was looked up lately, so that `verify` does it at most once per minute. */
  isKnown(credential: string): boolean;
}

interface Cached {
  readonly key: Promise<ApiKey | null>;
  readonly readAt: number;
  usedAt: number;
}

/** Reads keys of all organizations, because the key itself determines the organization. */
export function createApiKeyVerifier({ apiKeys }: Pick<Models, 'apiKeys'>, logger: Logger): ApiKeyVerifier {
  const cache = new LRUCache<string, Cached>({ max: largestCache });

  function find(id: string, now: number): Cached {
    const present = cache.get(id);
    if (present && now - present.readAt < cacheMs) return present;
    const found: Cached = {
      key: apiKeys.findById(id).lean<ApiKey | null>().exec(),
      readAt: now,
      usedAt: present?.usedAt ?? 0,
    };
    // A failed read leaves the cache, so that the next request reads again.
    found.key.catch(() => cache.delete(id));
    cache.set(id, found);
    return found;
  }

  /** Stores the time of last use. No request waits for it. Of several processes, one writes it per period. */
  function noteUse(cached: Cached, id: Types.ObjectId, now: number): void {
    if (now - cached.usedAt < lastUsedPeriodMs) return;
    cached.usedAt = now;
    apiKeys
      .updateOne(
        {
          _id: id,
          $or: [{ lastUsedAt: { $exists: false } }, { lastUsedAt: { $lte: new Date(now - lastUsedPeriodMs) } }],
        },
        { $set: { lastUsedAt: new Date(now) } },
      )
      .exec()
      .catch((error: unknown) =>
        logError(logger, error, 'last use not noted', { level: 'debug', apiKeyId: id.toHexString() }),
      );
  }

  return {
    isKnown(credential) {
      const parsed = parseApiKey(credential);
      return !parsed || cache.has(parsed.id);
    },
    async verify(credential) {
      const parsed = parseApiKey(credential);
      const now = Date.now();
      const cached = parsed && find(parsed.id, now);
      const key = await cached?.key;
      // The hash is compared even if the key does not exist, so that both cases take the same time.
      const matches = sameHash(hashSecret(parsed?.secret ?? ''), key?.secretHash ?? hashSecret('no key'));
      const ended = key?.revokedAt !== undefined || (key?.expiresAt !== undefined && key.expiresAt.getTime() <= now);
      if (!cached || !key || !matches || ended)
        throw new UnauthenticatedError(
          'The API key is not valid, has expired or was revoked: ask an administrator for a new one.',
        );
      noteUse(cached, key._id, now);
      const id = key._id.toHexString();
      return {
        username: `api-key:${id}`,
        role: Role.SERVICE,
        organizationId: key.organization.toHexString(),
        issuedAt: key.createdAt.getTime(),
        expiresAt: key.expiresAt?.getTime() ?? neverEnds,
        apiKeyId: id,
        scopes: actions.filter((action): action is Action => key.scopes.includes(action)),
      };
    },
  };
}

const sameHash = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
