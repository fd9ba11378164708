import { createHash, randomBytes } from 'node:crypto';

/**
 * A refresh token: `rgr_`, 128 random bits shared by all refresh tokens of a session, and 256 random bits of this token
 * alone. The parts have fixed widths, because base64url may contain underscores. The shared part finds the session. It
 * also proves that the caller has held a token of this session, so an attacker cannot end a session with invented
 * tokens.
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

/** Makes a refresh token. @param family the shared part of the token before; a new session gets a new one */
export function newRefreshToken(family = randomBytes(16).toString('base64url')): RefreshToken {
  return parseRefreshToken(`rgr_${family}_${randomBytes(32).toString('base64url')}`)!;
}

/** Reads a refresh token; null when the text cannot be one. */
export function parseRefreshToken(token: string): RefreshToken | null {
  const family = pattern.exec(token)?.[1];
  return family === undefined ? null : { token, family, familyHash: sha256(family), tokenHash: sha256(token) };
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');
