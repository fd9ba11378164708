import { z } from 'zod';
import type { Role } from '../../../models/index.js';
import { isReservedUsername } from '../users/username.js';
import type { OidcSettings } from '../../config/oidc-settings.js';

/** What a token of another issuer says of its holder. */
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

/** @throws when a claim is missing, not of its type, or stands for no role of ours */
export function readClaims(payload: Readonly<Record<string, unknown>>, settings: OidcSettings): OidcSubject {
  const subject = subjectSchema.parse({
    organizationSlug: claimOf(payload, settings.organizationClaim),
    username: claimOf(payload, settings.usernameClaim),
  });
  const held = claimOf(payload, settings.roleClaim);
  const values: readonly unknown[] = Array.isArray(held) ? held : [held];
  const role = settings.roles.find(([value]) => values.includes(value))?.[1];
  if (!role) throw new Error('the token has no role of ours');
  return { ...subject, role };
}

/** By its name as it stands, which may be a URL with dots; else as a path, e.g. `realm_access.roles`. */
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
