import { createHash, randomBytes } from 'node:crypto';

/**
 * An API key: `rgk_`, the id of its document, and 256 random bits, e.g. `rgk_65f0c0ffee0123456789abcd_Ym9…`. The prefix
 * lets secret scanners find leaked keys.
 */
const pattern = /^rgk_([0-9a-f]{24})_([\w-]{43})$/;

export const looksLikeApiKey = (credential: string): boolean => credential.startsWith('rgk_');

/** The public part of a key, which tells keys apart. */
export const publicPrefix = (id: string): string => `rgk_${id}`;

export const newApiKeySecret = (): string => randomBytes(32).toString('base64url');

export const formatApiKey = (id: string, secret: string): string => `${publicPrefix(id)}_${secret}`;

/** Splits a key into id and secret; null when the text cannot be a key. */
export function parseApiKey(credential: string): { readonly id: string; readonly secret: string } | null {
  const [, id, secret] = pattern.exec(credential) ?? [];
  return id && secret ? { id, secret } : null;
}

/**
 * The hash of a secret, which is stored in its place. A fast hash is safe here, unlike for passwords: 256 random bits
 * cannot be guessed, even with fast guesses. It is also needed, as every request computes it. The same holds for
 * refresh tokens.
 */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('base64url');
