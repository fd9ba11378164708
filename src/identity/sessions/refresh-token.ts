import { createHash, createHmac, randomBytes } from 'node:crypto';

/**
 * A refresh token: `rgr_`, 128 random bits shared by all refresh tokens of a session, and 256 bits of this token alone,
 * which look random. The parts have fixed widths, because base64url may contain underscores. The shared part finds the
 * session. It also proves that the caller has held a token of this session, so an attacker cannot end a session with
 * invented tokens.
 */
const pattern = /^rgr_([\w-]{22})_([\w-]{43})$/;

export interface RefreshToken {
  readonly token: string;
  readonly family: string;
  /** Hash of the shared part, as it is stored. A fast hash is safe for random bits: see `hashSecret` of API keys. */
  readonly familyHash: string;
  /** Hash of the whole token, as it is stored. */
  readonly tokenHash: string;
}

/** Makes the first refresh token of a session. */
export function newRefreshToken(): RefreshToken {
  return parseRefreshToken(`rgr_${randomBytes(16).toString('base64url')}_${randomBytes(32).toString('base64url')}`)!;
}

/**
 * Makes the token that follows another one. It is always the same, so that a client that lost the answer gets it again
 * although only hashes are stored. It is an HMAC-SHA-256 of the token under the server's key: without the key, not even
 * a holder of the earlier token can compute it.
 */
export function successorOf({ token, family }: RefreshToken, key: Buffer): RefreshToken {
  return parseRefreshToken(`rgr_${family}_${createHmac('sha256', key).update(token).digest('base64url')}`)!;
}

/** Reads a refresh token; null when the text cannot be one. */
export function parseRefreshToken(token: string): RefreshToken | null {
  const family = pattern.exec(token)?.[1];
  return family === undefined ? null : { token, family, familyHash: sha256(family), tokenHash: sha256(token) };
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');
