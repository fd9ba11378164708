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
/** Keys are fetched anew after this long, so that one that is withdrawn is refused then at the latest. */
const freshMs = 10 * 60_000;
/** A token of a key that is not known makes us ask for the keys again, but no sooner than this after the last time. */
const cooldownMs = 30_000;
/** A provider that does not hand out its keys is asked again after this long. */
const retryMs = 30_000;
/** For how long keys that cannot be fetched anew are believed: through a night without the provider, and not for ever. */
const longestOutageMs = 24 * 3_600_000;

/** The keys of the issuer cannot be had, so that nobody can tell whether a token is good. */
export class IssuerKeysUnavailableError extends Error {
  override readonly name = 'IssuerKeysUnavailableError';
}

/**
 * The public keys of an identity provider (JWKS, RFC 7517), followed while they change: a new one is believed as soon as a
 * token names it, a withdrawn one is not after the next fetch. While the provider does not answer, those known before go on.
 * @returns the key for a token; throws IssuerKeysUnavailableError, or an error of jose when no key is the token's
 */
export function createIssuerKeys(jwksUri: string, logger: Logger): JWTVerifyGetKey {
  const cache: JWKSCacheInput = {};
  /** Where jose puts what it fetched last, and when (`uat`). */
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
      throw new IssuerKeysUnavailableError('no keys that may be believed');
    try {
      return await createLocalJWKSet(jwks)(header, token);
    } catch (error) {
      // The key may be one that was published since.
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
        logError(logger, error, 'the OIDC issuer does not hand out its keys', { level: 'warn', keysOf });
        // Without any there is nothing to spare: each token is worth a try.
        if (fetched.jwks) retryAt = Date.now() + retryMs;
      }
    }
    return known(header, token);
  };
}

/** Whether the keys are there, and none is the token's; anything else is an error of the provider: unreachable, or no key set. */
const isTokenError = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys ||
  error instanceof errors.JOSENotSupported;
