import { SignJWT, jwtVerify } from 'jose';
import { z } from 'zod';
import { Role } from '../../models/index.js';
import { UnauthenticatedError } from '../errors.js';
import type { Identity } from '../auth/viewer.js';
import { defined } from '../process/defined.js';

export const accessTokenIssuer = 'riskgraph';
const audience = 'riskgraph-api';
const algorithm = 'HS256';

/** Longest validity of any token, ours or another issuer's. A revocation need not be kept for longer. Milliseconds. */
export const longestTokenMs = 31 * 86_400_000;
/**
 * Longest validity of a session's access token, which is renewed instead. Upper bound of ACCESS_TOKEN_MINUTES.
 * Milliseconds.
 */
export const longestSessionTokenMs = 60 * 60_000;
/** Time by which the clock of an issuer may be ahead of our clock. Milliseconds. */
const clockToleranceMs = 60_000;

const claimsSchema = z.object({
  sub: z.string().min(1).max(200),
  org: z.string().regex(/^[0-9a-f]{24}$/),
  role: z.enum(Role),
  sid: z
    .string()
    .regex(/^[0-9a-f]{24}$/)
    .optional(),
  iat: z.number(),
  exp: z.number(),
});

/** The user or caller that a token identifies. */
export type TokenSubject = Pick<Identity, 'username' | 'role' | 'organizationId' | 'sessionId'>;

/** Signs and verifies access tokens (JWT, RFC 7519) with one secret. */
export interface AccessTokens {
  /** Signs a new token. @param timeToLiveSeconds at most 31 days */
  sign(subject: TokenSubject, timeToLiveSeconds: number): Promise<string>;
  /** Reads a token. @throws UnauthenticatedError when it was not signed by us, was changed, or has expired */
  verify(token: string): Promise<Identity>;
}

/** @param secretKey any string; at least 32 random characters in production (checked in src/config/config.ts) */
export function createAccessTokens(secretKey: string): AccessTokens {
  const key = new TextEncoder().encode(secretKey);
  return {
    sign({ username, role, organizationId, sessionId }, timeToLiveSeconds) {
      const now = Date.now() / 1000;
      return (
        new SignJWT(defined({ org: organizationId, role, sid: sessionId }))
          .setProtectedHeader({ alg: algorithm })
          .setSubject(username)
          .setIssuer(accessTokenIssuer)
          .setAudience(audience)
          // With fractions of a second, which RFC 7519 allows. So a token issued after a revocation is valid, even in
          // the same second.
          .setIssuedAt(now)
          .setExpirationTime(Math.floor(now) + timeToLiveSeconds)
          .sign(key)
      );
    },
    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: [algorithm],
          issuer: accessTokenIssuer,
          audience,
        });
        const { sub, role, org, sid, ...times } = claimsSchema.parse(payload);
        return defined({ username: sub, role, organizationId: org, sessionId: sid, ...validity(times) });
      } catch {
        throw new UnauthenticatedError('The access token is not valid or has expired: get a new one.');
      }
    },
  };
}

/**
 * The times of issue and expiry of a token, in milliseconds.
 * @throws RangeError when it has expired, was issued in the future, or is valid for longer than revocations are kept
 */
export function validity({
  iat,
  exp,
}: {
  readonly iat: number;
  readonly exp: number;
}): Pick<Identity, 'issuedAt' | 'expiresAt'> {
  const issuedAt = iat * 1000;
  const expiresAt = exp * 1000;
  const now = Date.now();
  if (!(expiresAt > now && issuedAt <= now + clockToleranceMs && expiresAt - issuedAt <= longestTokenMs))
    throw new RangeError('times of the token');
  return { issuedAt, expiresAt };
}
