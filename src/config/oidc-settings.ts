import { z } from 'zod';
import { Role } from '../../models/index.js';
import { listOf } from './setting-lists.js';
import { isSlug, slugRule } from './slug.js';

/** Signature algorithms whose key can be public (RFC 7518, 3.1; RFC 8037). HMAC is not among them, and never may be: anybody knows a public key. */
const asymmetricAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

/** Who is believed beside ourselves, and where its tokens say what. */
export interface OidcSettings {
  /** Exactly as tokens have it in `iss`. */
  readonly issuer: string;
  readonly jwksUri: string;
  readonly audience: string;
  readonly algorithms: readonly string[];
  /** Slugs of the organizations that the issuer may speak for. Undefined: every one there is. */
  readonly organizations: readonly string[] | undefined;
  readonly organizationClaim: string;
  readonly roleClaim: string;
  readonly usernameClaim: string;
  /** What the role claim may hold, and the role it stands for; the first that a token has counts. */
  readonly roles: readonly (readonly [value: string, role: Role])[];
}

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Keys that came over plain HTTP could be anybody's; only this machine itself may be asked so. */
const secureUrl = z.string().refine((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && (url.protocol === 'https:' || (url.protocol === 'http:' && loopback.has(url.hostname)));
}, 'must be an https:// URL (http:// on this machine only)');

const algorithmList = z
  .string()
  .default('RS256,ES256')
  .transform((text) => text.split(',').map((name) => name.trim()))
  .refine(
    (names) => names.every((name) => (asymmetricAlgorithms as readonly string[]).includes(name)),
    `must name some of ${asymmetricAlgorithms.join(', ')}, with commas between them`,
  );

const claim = (fallback: string) => z.string().min(1).max(200).default(fallback);

/** `value=ROLE; value=ROLE`. Not commas: the names of directory groups have them, and equals signs too. */
const roleMapping = z
  .string()
  .transform((text) =>
    text
      .split(';')
      .map(
        (pair) =>
          [
            pair.slice(0, Math.max(pair.lastIndexOf('='), 0)).trim(),
            pair.slice(pair.lastIndexOf('=') + 1).trim(),
          ] as const,
      ),
  )
  .refine(
    (pairs) => pairs.every(([value, role]) => value !== '' && Object.hasOwn(Role, role)),
    `must read value=ROLE; value=ROLE, with roles of ${Object.values(Role).join(', ')}`,
  )
  .transform((pairs) => pairs.map(([value, role]) => [value, role as Role] as const))
  .optional();

const organizationList = listOf(
  z.string().refine(isSlug, `must be slugs of organizations (${slugRule}), with commas between them`),
)
  .refine((slugs) => slugs.length > 0, 'must name at least one organization')
  .optional();

/** The variables of the environment; OIDC is off without OIDC_ISSUER. */
export const oidcEnvironment = {
  OIDC_ISSUER: secureUrl.optional(),
  OIDC_JWKS_URI: secureUrl.optional(),
  OIDC_AUDIENCE: z.string().min(1).optional(),
  OIDC_ALGORITHMS: algorithmList,
  OIDC_ORGANIZATIONS: organizationList,
  OIDC_ORGANIZATION_CLAIM: claim('organization'),
  OIDC_ROLE_CLAIM: claim('role'),
  // Of the claims that name somebody only this one is promised to be unique and never given to somebody else (OpenID Connect Core 1.0, 5.7).
  OIDC_USERNAME_CLAIM: claim('sub'),
  OIDC_ROLE_MAPPING: roleMapping,
};

type OidcEnvironment = z.output<z.ZodObject<typeof oidcEnvironment>>;

/** What is missing where some of the three that belong together are set, one line each. */
export function oidcIssues(given: Readonly<Record<string, string | undefined>>): string[] {
  const together = ['OIDC_ISSUER', 'OIDC_JWKS_URI', 'OIDC_AUDIENCE'];
  const missing = together.filter((name) => given[name] === undefined);
  return missing.length === together.length
    ? []
    : missing.map((name) => `${name}: is not set, and ${together.join(', ')} go together`);
}

export function oidcSettings(values: OidcEnvironment): OidcSettings | undefined {
  const { OIDC_ISSUER: issuer, OIDC_JWKS_URI: jwksUri, OIDC_AUDIENCE: audience } = values;
  if (!issuer || !jwksUri || !audience) return undefined;
  return {
    issuer,
    jwksUri,
    audience,
    algorithms: values.OIDC_ALGORITHMS,
    organizations: values.OIDC_ORGANIZATIONS,
    organizationClaim: values.OIDC_ORGANIZATION_CLAIM,
    roleClaim: values.OIDC_ROLE_CLAIM,
    usernameClaim: values.OIDC_USERNAME_CLAIM,
    roles: values.OIDC_ROLE_MAPPING ?? Object.values(Role).map((role) => [role, role] as const),
  };
}
