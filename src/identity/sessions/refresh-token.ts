import { createHash, randomBytes } from 'node:crypto';

/**
 * `rgr_`, 128 random bits that all refresh tokens of a session share, 256 random bits of this one alone. Fixed widths:
 * base64url has underscores of its own. The shared part finds the session, and proves that whoever sends it has held one of
 * its tokens: a stranger cannot end a session by making tokens up.
 */
const pattern = /^rgr_([\w-]{22})_([\w-]{43})$/;

export interface RefreshToken {
  readonly token: string;
  readonly family: string;
  /** Hashes, as they are stored; a fast hash is right for random bits, see `hashSecret` of API keys. */
  readonly familyHash: string;
  readonly tokenHash: string;
}

/** @param family that of the token before; a new session gets a new one */
export function newRefreshToken(family = randomBytes(16).toString('base64url')): RefreshToken {
  return parseRefreshToken(`rgr_${family}_${randomBytes(32).toString('base64url')}`)!;
}

/** Null for what cannot be a refresh token. */
export function parseRefreshToken(token: string): RefreshToken | null {
  const family = pattern.exec(token)?.[1];
  return family === undefined ? null : { token, family, familyHash: sha256(family), tokenHash: sha256(token) };
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');
