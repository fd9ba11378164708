import { z } from 'zod';
import type { Role } from '../../../models/index.js';
import { isReservedUsername, normalizeUsername } from '../users/username.js';
import { hasInvisible } from '../../process/visible-text.js';
import type { OidcSettings } from '../../config/oidc-settings.js';

/** The holder of a token of another issuer, as its claims describe them. */
interface OidcSubject {
  readonly organizationSlug: string;
  readonly username: string;
  readonly role: Role;
}

const subjectSchema = z.object({
  organizationSlug: z.string().min(1).max(40),
  // A disabled user must not come back in another spelling.
  username: z
    .string()
    .refine((name) => !hasInvisible(name))
    .transform(normalizeUsername)
    .pipe(z.string().min(1).max(200))
    .refine((name) => !isReservedUsername(name)),
});

/**
 * Reads organization, username and role.
 * @throws Error when a claim is missing, has the wrong type, or names no known role
 */
export function readClaims(payload: Readonly<Record<string, unknown>>, settings: OidcSettings): OidcSubject {
  const subject = subjectSchema.parse({
    organizationSlug: claimOf(payload, settings.organizationClaim),
    username: claimOf(payload, settings.usernameClaim),
  });
  const held = claimOf(payload, settings.roleClaim);
  const values: readonly unknown[] = Array.isArray(held) ? held : [held];
  const role = settings.roles.find(([value]) => values.includes(value))?.[1];
  if (!role) throw new Error('the token names no known role');
  return { ...subject, role };
}

/**
 * Finds a claim by its whole name, which may be a URL with dots; if there is none, by a path, e.g.
 * `realm_access.roles`.
 */
function claimOf(payload: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  return name
    .split('.')
    .reduce<unknown>(
      (value, part) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, part)
          ? (value as Record<string, unknown>)[part]
          : undefined,
      payload,
    );
}

/** Claims that only ID tokens have (OpenID Connect Core 1.0, 2 and 3.3.2.11), or only logout tokens and events. */
const claimsOfOtherTokens = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events'] as const;

/**
 * Tells whether a token says of itself that it is no access token. Keycloak names the kind in a claim `typ`. Without
 * it, the claims of other kinds tell.
 */
export function isOtherToken(payload: Readonly<Record<string, unknown>>): boolean {
  if (payload.typ !== undefined) return !['bearer', 'at+jwt'].includes(String(payload.typ).toLowerCase());
  return claimsOfOtherTokens.some((name) => Object.hasOwn(payload, name));
}

/** The type in the header of a token, as RFC 7515, 4.1.9 compares it. A token without one is a `JWT`. */
export const tokenType = (typ: unknown): string =>
  typ === undefined
    ? 'jwt'
    : String(typ)
        .toLowerCase()
        .replace(/^application\//, '');
