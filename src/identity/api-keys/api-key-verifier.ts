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

/** How long what was read of a key is used. Revocation does not wait for it: it has its own way. Milliseconds. */
const cacheMs = 60_000;
/** Keys remembered; the ids that strangers make up must not fill the memory. */
const largestCache = 10_000;
/** `lastUsedAt` is true to this, milliseconds. */
const lastUsedPeriodMs = 60_000;
/** When a key without an end ends, as far as others need a date. */
const neverEnds = Date.UTC(9999, 11, 31);

export interface ApiKeyVerifier {
  /** Does not know of revocations that are less than a minute old: see src/identity/revocation/. @throws UnauthenticatedError */
  verify(credential: string): Promise<Identity>;
}

interface Cached {
  readonly key: Promise<ApiKey | null>;
  readonly readAt: number;
  usedAt: number;
}

/** Reads keys of any organization: it is the key that says which. */
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
    // An outage must not be remembered.
    found.key.catch(() => cache.delete(id));
    cache.set(id, found);
    return found;
  }

  /** Nobody waits for it, and several processes write it once. */
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
    async verify(credential) {
      const parsed = parseApiKey(credential);
      const now = Date.now();
      const cached = parsed && find(parsed.id, now);
      const key = await cached?.key;
      // Compared whether or not there is such a key.
      const matches = sameHash(hashSecret(parsed?.secret ?? ''), key?.secretHash ?? hashSecret('nobody'));
      const ended = key?.revokedAt !== undefined || (key?.expiresAt !== undefined && key.expiresAt.getTime() <= now);
      if (!cached || !key || !matches || ended)
        throw new UnauthenticatedError(
          'The API key is not valid, has expired or was revoked: ask an administrator for another.',
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
