import { Role } from '../../models/index.js';
import type { SettingValues } from './settings.js';

type OidcValues = SettingValues['oidc'];

/** The identity provider whose tokens are accepted in addition to our own, and the claims of its tokens. */
export interface OidcSettings extends Omit<OidcValues, 'issuer' | 'jwksUri' | 'audience' | 'roles'> {
  /** Exact value of `iss` in its tokens. */
  readonly issuer: string;
  readonly jwksUri: string;
  readonly audience: string;
  /**
   * Values of the role claim, each with the role that it stands for. When a token has several values, the first one
   * here counts.
   */
  readonly roles: readonly (readonly [value: string, role: Role])[];
}

/** Variables that are set together: those of the tokens, and those of the sign-in to the console. */
const ofTokens = ['OIDC_ISSUER', 'OIDC_JWKS_URI', 'OIDC_AUDIENCE'] as const;
const ofSignIn = ['OIDC_CLIENT_ID', 'OIDC_AUTHORIZATION_ENDPOINT', 'OIDC_TOKEN_ENDPOINT'] as const;

/**
 * Names each missing one of the variables that go together, one line each. The sign-in needs the variables of the tokens
 * too. Empty when nothing is missing.
 */
export function oidcIssues(given: Readonly<Record<string, string | undefined>>): string[] {
  const isSet = (name: string): boolean => given[name] !== undefined;
  const groups = ofSignIn.some(isSet) ? [[...ofTokens, ...ofSignIn]] : [ofTokens];
  return groups.flatMap((together) =>
    together.some(isSet)
      ? together
          .filter((name) => !isSet(name))
          .map((name) => `${name}: is not set, but ${together.join(', ')} must be set together`)
      : [],
  );
}

/**
 * Reads the settings of the identity provider.
 * @returns undefined when none is set: then only tokens of this server are accepted
 */
export function readOidcSettings(values: OidcValues): OidcSettings | undefined {
  const { issuer, jwksUri, audience } = values;
  if (!issuer || !jwksUri || !audience) return undefined;
  const ownNames = Object.values(Role).map((role) => [role, role] as const);
  return { ...values, issuer, jwksUri, audience, roles: values.roles ?? ownNames };
}

/** The facts that a page needs to sign a user in with the provider: authorization code flow with PKCE, no secret. */
export interface OidcSignIn {
  readonly issuer: string;
  readonly clientId: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly scope: string;
}

/** @returns undefined when the console signs users in with passwords alone */
export function oidcSignIn(oidc: OidcSettings | undefined): OidcSignIn | undefined {
  if (!oidc?.clientId || !oidc.authorizationEndpoint || !oidc.tokenEndpoint) return undefined;
  const { issuer, clientId, authorizationEndpoint, tokenEndpoint, scope } = oidc;
  return { issuer, clientId, authorizationEndpoint, tokenEndpoint, scope };
}
