import { Role } from '../../models/index.js';
import type { SettingValues } from './settings.js';

type OidcValues = SettingValues['oidc'];

/** The identity provider that is believed in addition to ourselves, and where its tokens say what. */
export interface OidcSettings extends Omit<OidcValues, 'issuer' | 'jwksUri' | 'audience' | 'roles'> {
  /** Exactly as tokens have it in `iss`. */
  readonly issuer: string;
  readonly jwksUri: string;
  readonly audience: string;
  /** Values of the role claim, and the role that each stands for. The first value that a token has counts. */
  readonly roles: readonly (readonly [value: string, role: Role])[];
}

/** The missing ones of the three variables that go together, one line each. Empty when none or all are set. */
export function oidcIssues(given: Readonly<Record<string, string | undefined>>): string[] {
  const together = ['OIDC_ISSUER', 'OIDC_JWKS_URI', 'OIDC_AUDIENCE'];
  const missing = together.filter((name) => given[name] === undefined);
  return missing.length === together.length
    ? []
    : missing.map((name) => `${name}: is not set, but ${together.join(', ')} must be set together`);
}

/** @returns undefined when no identity provider is set: then only our own tokens are accepted */
export function readOidcSettings(values: OidcValues): OidcSettings | undefined {
  const { issuer, jwksUri, audience } = values;
  if (!issuer || !jwksUri || !audience) return undefined;
  const ownNames = Object.values(Role).map((role) => [role, role] as const);
  return { ...values, issuer, jwksUri, audience, roles: values.roles ?? ownNames };
}
