import { decodeJwt } from 'jose';
import { UnauthenticatedError } from '../errors.js';
import { accessTokenIssuer, type AccessTokens } from './access-token.js';
import { looksLikeApiKey } from './api-keys/api-key-format.js';
import type { ApiKeyVerifier } from './api-keys/api-key-verifier.js';
import type { OidcVerifier } from './oidc/oidc-verifier.js';
import type { Revocations } from './revocation/revocations.js';
import { createVerifiedTokens } from './verified-tokens.js';
import type { Identity } from '../auth/viewer.js';

/*
 * Authentication of a request, step by step:
 *
 *   1. Reads the credential behind `Bearer`. Without one, the caller is anonymous.
 *   2. Chooses the one verifier for this kind of credential: API key, own access token, or token of the OIDC issuer.
 *   3. That verifier checks the credential and gives the identity. Own tokens checked lately are found in memory.
 *   4. Refuses an identity whose session, key or user was revoked.
 */

/** Finds the identity behind a credential. */
export interface Authenticator {
  /**
   * @param authorization the header, or the same field of a socket's payload: `Bearer` and an access token or API key
   * @returns null without a credential: the permission rules then refuse each field that anonymous callers may not read
   * @throws UnauthenticatedError when the credential is not valid or was revoked; ServiceUnavailableError when this
   *   cannot be checked at the moment
   */
  authenticate(authorization: unknown, beforeLookup?: BeforeLookup): Promise<Identity | null>;
}

/** Called before a credential that is not known yet is looked up in the database. What it throws ends the call. */
export type BeforeLookup = () => Promise<void>;

interface AuthenticatorDependencies {
  readonly accessTokens: AccessTokens;
  readonly apiKeys: ApiKeyVerifier;
  /** Verifies tokens of the OIDC issuer. If undefined, tokens of other issuers are refused. */
  readonly oidc: OidcVerifier | undefined;
  readonly revocations: Pick<Revocations, 'isRevoked'>;
}

export function createAuthenticator({
  accessTokens,
  apiKeys,
  oidc,
  revocations,
}: AuthenticatorDependencies): Authenticator {
  const verified = createVerifiedTokens();

  /**
   * Verifies an access token of our own and remembers it. Tokens of the OIDC issuer are not remembered, because their
   * keys may be withdrawn. API keys have a cache of their own.
   */
  async function verifyOwn(token: string): Promise<Identity> {
    const identity = await accessTokens.verify(token);
    verified.add(token, identity);
    return identity;
  }

  /** Verifies a credential with the one verifier of its kind. If that verifier refuses it, no other one is tried. */
  async function verify(credential: string, beforeLookup?: BeforeLookup): Promise<Identity> {
    if (looksLikeApiKey(credential)) {
      if (!apiKeys.isKnown(credential)) await beforeLookup?.();
      return apiKeys.verify(credential);
    }
    const known = verified.find(credential);
    if (known) return known;
    const issuer = claimedIssuer(credential);
    if (oidc && issuer === oidc.issuer) return oidc.verify(credential);
    if (issuer === accessTokenIssuer) return verifyOwn(credential);
    throw new UnauthenticatedError('The access token is not valid or has expired: get a new one.');
  }

  return {
    async authenticate(authorization, beforeLookup) {
      if (authorization === undefined || authorization === null || authorization === '') return null;
      const credential =
        typeof authorization === 'string'
          ? /^Bearer ([\w.~+/=-]{1,8192})$/i.exec(authorization.trim())?.[1]
          : undefined;
      if (!credential)
        throw new UnauthenticatedError('The authorization must be "Bearer <access token>" or "Bearer <API key>".');
      const identity = await verify(credential, beforeLookup);
      if (revocations.isRevoked(identity))
        throw new UnauthenticatedError(
          identity.apiKeyId
            ? 'This API key was revoked: ask an administrator for a new one.'
            : 'This credential was revoked: log in again.',
        );
      return identity;
    },
  };
}

/** The issuer that a token names, not verified; undefined when the text is no token. */
function claimedIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}
