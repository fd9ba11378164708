import { z } from 'zod';
import { Role } from '../../../models/index.js';
import { organizations, text } from '../setting-schemas.js';
import type { Setting } from '../setting.js';

/**
 * Signature algorithms whose key may be public (RFC 7518, 3.1; RFC 8037). HMAC must never be one of them: its key would
 * be the public key, which an attacker knows.
 */
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

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * A URL that cannot be changed on its way. Over plain HTTP, an attacker could replace the keys. So it is only allowed
 * on this machine itself.
 */
export const secureUrl = z.string().refine((address) => {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  return url !== undefined && (url.protocol === 'https:' || (url.protocol === 'http:' && loopback.has(url.hostname)));
}, 'must be an https:// URL (http:// on this machine only)');

const algorithms = z
  .string()
  .default('RS256,ES256')
  .transform((list) => list.split(',').map((name) => name.trim()))
  .refine(
    (names) => names.every((name) => (asymmetricAlgorithms as readonly string[]).includes(name)),
    `must name some of ${asymmetricAlgorithms.join(', ')}, with commas between them`,
  );

const claim = (fallback: string) => z.string().min(1).max(200).default(fallback);

/**
 * A list `value=ROLE; value=ROLE`. Semicolons separate it, because the names of directory groups hold commas. They hold
 * equals signs too, so the last one separates the role.
 */
const roleMapping = z
  .string()
  .transform((list) =>
    list
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
  .transform((pairs) => pairs.map(([value, role]) => [value, role as Role] as const));

/** An identity provider whose tokens are accepted too. It is off when OIDC_ISSUER is not set. */
export const oidcSettings = [
  {
    name: 'OIDC_ISSUER',
    key: 'oidc.issuer',
    schema: secureUrl.optional(),
    description:
      'Identity provider whose tokens are accepted too: an `https://` URL, exactly as in the `iss` of its tokens. ' +
      'Set `OIDC_JWKS_URI` and `OIDC_AUDIENCE` too',
  },
  {
    name: 'OIDC_JWKS_URI',
    key: 'oidc.jwksUri',
    schema: secureUrl.optional(),
    description: "URL of the provider's public keys (`https://`)",
  },
  {
    name: 'OIDC_AUDIENCE',
    key: 'oidc.audience',
    schema: text.optional(),
    description: 'Value that tokens of the provider must have in `aud`',
  },
  {
    name: 'OIDC_CLIENT_ID',
    key: 'oidc.clientId',
    schema: text.optional(),
    description:
      'Client of the provider that the console signs users in with: a public client with PKCE, whose redirect address is ' +
      '`/sign-in` of this server. Set `OIDC_AUTHORIZATION_ENDPOINT` and `OIDC_TOKEN_ENDPOINT` too. Without it, the console ' +
      'offers passwords alone',
  },
  {
    name: 'OIDC_AUTHORIZATION_ENDPOINT',
    key: 'oidc.authorizationEndpoint',
    schema: secureUrl.optional(),
    description: "URL of the provider's page that signs users in (`https://`)",
  },
  {
    name: 'OIDC_TOKEN_ENDPOINT',
    key: 'oidc.tokenEndpoint',
    schema: secureUrl.optional(),
    description: 'URL at which the provider gives tokens (`https://`). It must allow requests of the page (CORS)',
  },
  {
    name: 'OIDC_END_SESSION_ENDPOINT',
    key: 'oidc.endSessionEndpoint',
    schema: secureUrl.optional(),
    description:
      'URL at which the provider ends its own session (`https://`), where a sign-out of the console goes. It comes back to ' +
      '`/sign-in`, which the provider must allow. Default: what the metadata of `OIDC_ISSUER` name',
  },
  {
    name: 'OIDC_SCOPE',
    key: 'oidc.scope',
    schema: text.default('openid'),
    description: 'Scopes that the console asks for. The access token must have `OIDC_AUDIENCE` in `aud`',
  },
  {
    name: 'OIDC_ALGORITHMS',
    key: 'oidc.algorithms',
    schema: algorithms,
    description: 'Signature algorithms that are accepted. Only asymmetric ones can be named',
  },
  {
    name: 'OIDC_TOKEN_TYPE',
    key: 'oidc.tokenType',
    schema: text.optional(),
    description:
      'Type that access tokens of the provider have in their header `typ`, e.g. `at+jwt` or `JWT`. Without it, `at+jwt` ' +
      'is asked for as soon as the provider has sent one. ID and logout tokens are refused in any case',
  },
  {
    name: 'OIDC_ORGANIZATIONS',
    key: 'oidc.organizations',
    schema: organizations.optional(),
    description:
      'Slugs of the organizations that the provider may speak for. Without it, the provider may speak for every ' +
      'organization, which production refuses',
  },
  {
    name: 'OIDC_ORGANIZATION_CLAIM',
    key: 'oidc.organizationClaim',
    schema: claim('organization'),
    description: 'Claim with the slug of the organization',
  },
  {
    name: 'OIDC_ROLE_CLAIM',
    key: 'oidc.roleClaim',
    schema: claim('role'),
    description: 'Claim with the role or roles',
  },
  {
    name: 'OIDC_USERNAME_CLAIM',
    key: 'oidc.usernameClaim',
    // Uses `sub`, because only that claim is unique and never given to a second person (OpenID Connect Core 1.0, 5.7).
    schema: claim('sub'),
    description: 'Claim with the username',
  },
  {
    name: 'OIDC_ROLE_MAPPING',
    key: 'oidc.roles',
    schema: roleMapping.optional(),
    description:
      'Roles for values of the role claim: `value=ROLE; value=ROLE`. The first value that a token has counts. ' +
      "Without it, each role's own name is its value",
  },
] as const satisfies readonly Setting[];
