import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Identity } from '../auth/viewer.js';

/** Tokens that were verified lately. The next request with the same token needs no second check of its signature. */
interface VerifiedTokens {
  /** The identity of a token that has not expired. The caller must check revocation every time. */
  find(token: string): Identity | undefined;
  /** Adds a token that was just verified. When there are too many, the one used longest ago is dropped. */
  add(token: string, identity: Identity): void;
}

/**
 * @param capacity largest number of tokens remembered, about 500 bytes each. Only valid tokens are added, so attackers
 *   cannot fill it
 */
export function createVerifiedTokens(capacity = 10_000): VerifiedTokens {
  // Digests are kept instead of tokens, so that this cache leaves no token in the memory of the process.
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
