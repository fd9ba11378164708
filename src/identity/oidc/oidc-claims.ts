import { z } from 'zod';
import type { Role } from '../../../models/index.js';
import { isReservedUsername } from '../users/username.js';
import type { OidcSettings } from '../../config/oidc-settings.js';

/** The holder of a token of another issuer, as its claims describe them. */
interface OidcSubject {
  readonly organizationSlug: string;
  readonly username: string;
  readonly role: Role;
}

const subjectSchema = z.object({
  organizationSlug: z.string().min(1).max(40),
  username: z
    .string()
    .min(1)
    .max(200)
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
