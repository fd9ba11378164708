import { decodeJwt } from 'jose';
import { UnauthenticatedError } from '../errors.js';
import { accessTokenIssuer, type AccessTokens } from './access-token.js';
import { looksLikeApiKey } from './api-keys/api-key-format.js';
import type { ApiKeyVerifier } from './api-keys/api-key-verifier.js';
import type { OidcVerifier } from './oidc/oidc-verifier.js';
import type { Revocations } from './revocation/revocations.js';
import { createVerifiedTokens } from './verified-tokens.js';
import type { Identity } from '../auth/viewer.js';

/** Finds out whom a credential speaks for. */
export interface Authenticator {
  /**
   * @param authorization the header, or its like in a socket's payload: `Bearer` and an access token or API key
   * @returns null when there is none: anonymous callers are told so by the rules, field by field
   * @throws UnauthenticatedError when there is one and it is not valid or revoked; ServiceUnavailableError when that cannot be told now
   */
  authenticate(authorization: unknown): Promise<Identity | null>;
}

interface AuthenticatorDependencies {
  readonly accessTokens: AccessTokens;
  readonly apiKeys: ApiKeyVerifier;
  /** Undefined: tokens of another issuer are refused. */
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

  /** Our own tokens alone are remembered: the keys of another issuer may be withdrawn, and API keys have a memory of their own. */
  async function verifyOwn(token: string): Promise<Identity> {
    const identity = await accessTokens.verify(token);
    verified.add(token, identity);
    return identity;
  }

  /** Each kind has one verifier, chosen before anything is believed: a token that its verifier refuses is tried with no other. */
  async function verify(credential: string): Promise<Identity> {
    if (looksLikeApiKey(credential)) return apiKeys.verify(credential);
    const known = verified.find(credential);
    if (known) return known;
    const issuer = claimedIssuer(credential);
    if (oidc && issuer === oidc.issuer) return oidc.verify(credential);
    if (issuer === accessTokenIssuer) return verifyOwn(credential);
    throw new UnauthenticatedError('The access token is not valid or has expired: get a new one.');
  }

  return {
    async authenticate(authorization) {
      if (authorization === undefined || authorization === null || authorization === '') return null;
      const credential =
        typeof authorization === 'string'
          ? /^Bearer ([\w.~+/=-]{1,8192})$/i.exec(authorization.trim())?.[1]
          : undefined;
      if (!credential) throw new UnauthenticatedError('The authorization must read "Bearer <access token>".');
      const identity = await verify(credential);
      if (revocations.isRevoked(identity))
        throw new UnauthenticatedError(
          identity.apiKeyId
            ? 'This API key was revoked: ask an administrator for another.'
            : 'This credential was revoked: log in again.',
        );
      return identity;
    },
  };
}

/** The issuer that a token names. Nobody has verified it. */
function claimedIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}
