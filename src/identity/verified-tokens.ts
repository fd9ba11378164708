import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Identity } from '../auth/viewer.js';

/** Tokens that were verified lately, so that a caller's next request need not have the same signature checked again. */
interface VerifiedTokens {
  /** Whom a token speaks for, as long as it has not ended. Revocation is for the caller to ask about, every time. */
  find(token: string): Identity | undefined;
  /** To be called only with what was just verified. The one used longest ago gives way when there are too many. */
  add(token: string, identity: Identity): void;
}

/**
 * @param capacity tokens remembered, at some 500 bytes each. Only valid tokens fill it, so that strangers cannot
 */
export function createVerifiedTokens(capacity = 10_000): VerifiedTokens {
  // By digest: no token can be read out of this process's memory for having been remembered.
  const digestOf = (token: string): string => hash('sha256', token, 'base64');
  const identities = new LRUCache<string, Identity>({ max: capacity });
  return {
    find(token) {
      const digest = digestOf(token);
      const identity = identities.get(digest);
      if (!identity || Date.now() < identity.expiresAt) return identity;
      identities.delete(digest);
      return undefined;
    },
    add(token, identity) {
      identities.set(digestOf(token), identity);
    },
  };
}
