import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  jwksCache,
  type ExportedJWKSCache,
  type JWKSCacheInput,
  type JWTVerifyGetKey,
} from 'jose';
import type { Logger } from 'pino';
import { logError } from '../../process/logger.js';

const fetchTimeoutMs = 3_000;
/** Keys are fetched again after this time. A withdrawn key is refused after this time at the latest. Milliseconds. */
const freshMs = 10 * 60_000;
/** Shortest time between two fetches that are caused by tokens with an unknown key. Milliseconds. */
const cooldownMs = 30_000;
/** Time until the next fetch after a failed one. Milliseconds. */
const retryMs = 30_000;
/**
 * Time for which known keys are used while they cannot be fetched again: enough for a night without the provider.
 * Milliseconds.
 */
const longestOutageMs = 24 * 3_600_000;

/** The keys of the issuer are not available, so tokens cannot be checked. */
export class IssuerKeysUnavailableError extends Error {
  override readonly name = 'IssuerKeysUnavailableError';
}

/**
 * Follows the public keys of an identity provider (JWKS, RFC 7517) while they change. A new key is accepted as soon as
 * a token names it. A withdrawn key is refused after the next fetch. While the provider does not answer, the known keys
 * stay in use.
 * @returns a function that gives the key for a token. It throws IssuerKeysUnavailableError, or an error of jose when no
 *   key matches the token
 */
export function createIssuerKeys(jwksUri: string, logger: Logger): JWTVerifyGetKey {
  const cache: JWKSCacheInput = {};
  /** The same object, as jose fills it: the keys fetched last and the time of that fetch (`uat`). */
  const fetched = cache as Partial<ExportedJWKSCache>;
  const remote = createRemoteJWKSet(new URL(jwksUri), {
    timeoutDuration: fetchTimeoutMs,
    cacheMaxAge: freshMs,
    cooldownDuration: cooldownMs,
    [jwksCache]: cache,
  });
  let retryAt = 0;

  const known: JWTVerifyGetKey = async (header, token) => {
    const { jwks, uat = 0 } = fetched;
    if (!jwks || Date.now() > uat + longestOutageMs)
      throw new IssuerKeysUnavailableError('no keys are known, or the known keys are too old');
    try {
      return await createLocalJWKSet(jwks)(header, token);
    } catch (error) {
      // The provider may have published the token's key after the last fetch.
      if (error instanceof errors.JWKSNoMatchingKey || !isTokenError(error))
        throw new IssuerKeysUnavailableError('the key may be a new one', { cause: error });
      throw error;
    }
  };

  return async (header, token) => {
    if (Date.now() >= retryAt) {
      try {
        return await remote(header, token);
      } catch (error) {
        if (isTokenError(error)) throw error;
        const keysOf = fetched.uat ? new Date(fetched.uat) : undefined;
        logError(logger, error, 'the keys of the OIDC issuer cannot be fetched', { level: 'warn', keysOf });
        // Without known keys every token causes a fetch: no token could be checked otherwise.
        if (fetched.jwks) retryAt = Date.now() + retryMs;
      }
    }
    return known(header, token);
  };
}

/**
 * Tells whether the keys were fetched but none matches the token. Other errors mean that the provider gave no key set.
 */
const isTokenError = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys ||
  error instanceof errors.JOSENotSupported;
