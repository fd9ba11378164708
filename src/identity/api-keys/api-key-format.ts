import { createHash, randomBytes } from 'node:crypto';

/** `rgk_`, the id of its document, and 256 random bits: `rgk_65f0c0ffee0123456789abcd_Ym9…`. The prefix lets secret scanners find keys that leaked. */
const pattern = /^rgk_([0-9a-f]{24})_([\w-]{43})$/;

export const looksLikeApiKey = (credential: string): boolean => credential.startsWith('rgk_');

/** The part of a key that may be shown, to tell keys apart. */
export const publicPrefix = (id: string): string => `rgk_${id}`;

export const newApiKeySecret = (): string => randomBytes(32).toString('base64url');

export const formatApiKey = (id: string, secret: string): string => `${publicPrefix(id)}_${secret}`;

/** Null for what cannot be a key. */
export function parseApiKey(credential: string): { readonly id: string; readonly secret: string } | null {
  const [, id, secret] = pattern.exec(credential) ?? [];
  return id && secret ? { id, secret } : null;
}

/**
 * What is stored of a secret. A fast hash is right here, unlike for passwords: the input is 256 random bits, which nobody can
 * guess however fast each guess is, and every request pays for the hash. The same holds for refresh tokens.
 */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('base64url');
