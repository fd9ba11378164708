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

/**
 * Names each missing one of the three variables that go together, one line each. Empty when none or all of them are
 * set.
 */
export function oidcIssues(given: Readonly<Record<string, string | undefined>>): string[] {
  const together = ['OIDC_ISSUER', 'OIDC_JWKS_URI', 'OIDC_AUDIENCE'];
  const missing = together.filter((name) => given[name] === undefined);
  return missing.length === together.length
    ? []
    : missing.map((name) => `${name}: is not set, but ${together.join(', ')} must be set together`);
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
