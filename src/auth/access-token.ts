import { SignJWT, jwtVerify } from 'jose';
import { z } from 'zod';
import { Role } from '../../models/index.js';
import { UnauthenticatedError } from '../errors.js';
import type { Identity } from './viewer.js';

const issuer = 'riskgraph';
const audience = 'riskgraph-api';
const algorithm = 'HS256';

const claimsSchema = z.object({
  sub: z.string().min(1).max(200),
  org: z.string().regex(/^[0-9a-f]{24}$/),
  role: z.enum(Role),
  exp: z.number(),
});

/** Signs and verifies access tokens (JWT, RFC 7519) with one secret. */
export interface AccessTokens {
  sign(subject: { readonly username: string; readonly role: Role; readonly organizationId: string }, timeToLiveSeconds: number): Promise<string>;
  /** @throws UnauthenticatedError for any token that is not ours, not whole, or over */
  verify(token: string): Promise<Identity>;
}

/** @param secretKey any string; at least 32 random characters in production (src/config.ts sees to it) */
export function createAccessTokens(secretKey: string): AccessTokens {
  const key = new TextEncoder().encode(secretKey);
  return {
    sign: (subject, timeToLiveSeconds) =>
      new SignJWT({ org: subject.organizationId, role: subject.role })
        .setProtectedHeader({ alg: algorithm })
        .setSubject(subject.username)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1000) + timeToLiveSeconds)
        .sign(key),
    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, key, { algorithms: [algorithm], issuer, audience });
        const claims = claimsSchema.parse(payload);
        return { username: claims.sub, role: claims.role, organizationId: claims.org, expiresAt: claims.exp * 1000 };
      } catch {
        throw new UnauthenticatedError('The access token is not valid or has expired: get a new one.');
      }
    },
  };
}

/**
 * Who an Authorization header speaks for.
 * @returns null when there is no header: anonymous callers are told so by the rules, field by field
 * @throws UnauthenticatedError when there is one and it is no valid bearer token
 */
export async function identityFromAuthorization(tokens: AccessTokens, header: unknown): Promise<Identity | null> {
  if (header === undefined || header === null || header === '') return null;
  const match = typeof header === 'string' ? /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(header.trim()) : null;
  if (!match?.[1]) throw new UnauthenticatedError('The authorization must read "Bearer <access token>".');
  return tokens.verify(match[1]);
}
