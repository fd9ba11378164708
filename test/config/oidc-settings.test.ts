import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/config.js';

const oidc = {
  OIDC_ISSUER: 'https://login.example.org/',
  OIDC_JWKS_URI: 'https://login.example.org/keys',
  OIDC_AUDIENCE: 'riskgraph',
};

test('OIDC is off unless it is set, and then has careful defaults', () => {
  expect(loadConfig({}).oidc).toBeUndefined();
  expect(loadConfig(oidc).oidc).toEqual({
    issuer: 'https://login.example.org/',
    scope: 'openid',
    jwksUri: 'https://login.example.org/keys',
    audience: 'riskgraph',
    algorithms: ['RS256', 'ES256'],
    organizationClaim: 'organization',
    roleClaim: 'role',
    usernameClaim: 'sub',
    organizations: undefined,
    roles: ['CLINICIAN', 'ANALYST', 'SERVICE', 'ADMIN'].map((role) => [role, role]),
  });
  expect(
    loadConfig({
      ...oidc,
      OIDC_ALGORITHMS: 'EdDSA, PS256',
      OIDC_ROLE_MAPPING: 'cn=a,dc=b=ADMIN ; c=ANALYST',
      OIDC_ORGANIZATIONS: 'st-mary, mercy,',
    }).oidc,
  ).toMatchObject({
    organizations: ['st-mary', 'mercy'],
    algorithms: ['EdDSA', 'PS256'],
    roles: [
      ['cn=a,dc=b', 'ADMIN'],
      ['c', 'ANALYST'],
    ],
  });
});

test.each<[string, Record<string, string>]>([
  ['OIDC_JWKS_URI', { OIDC_ISSUER: oidc.OIDC_ISSUER }],
  ['OIDC_AUDIENCE', { OIDC_ISSUER: oidc.OIDC_ISSUER }],
  ['OIDC_ISSUER', { OIDC_AUDIENCE: 'riskgraph' }],
  ['OIDC_ISSUER', { ...oidc, OIDC_ISSUER: 'riskgraph' }],
  ['OIDC_JWKS_URI', { ...oidc, OIDC_JWKS_URI: 'http://login.example.org/keys' }],
  ['OIDC_JWKS_URI', { ...oidc, OIDC_JWKS_URI: 'file:///etc/keys' }],
  ['OIDC_ALGORITHMS', { ...oidc, OIDC_ALGORITHMS: 'HS256' }],
  ['OIDC_ALGORITHMS', { ...oidc, OIDC_ALGORITHMS: 'RS256,none' }],
  ['OIDC_ORGANIZATIONS', { ...oidc, OIDC_ORGANIZATIONS: ' , ' }],
  ['OIDC_ORGANIZATIONS.1', { ...oidc, OIDC_ORGANIZATIONS: 'st-mary,*' }],
  ['OIDC_ORGANIZATIONS.0', { ...oidc, OIDC_ORGANIZATIONS: 'St Mary' }],
  ['OIDC_ROLE_MAPPING', { ...oidc, OIDC_ROLE_MAPPING: 'doctors' }],
  ['OIDC_ROLE_MAPPING', { ...oidc, OIDC_ROLE_MAPPING: 'doctors=toString' }],
  ['OIDC_ROLE_MAPPING', { ...oidc, OIDC_ROLE_MAPPING: '=ADMIN' }],
  ['ACCESS_TOKEN_MINUTES', { ACCESS_TOKEN_MINUTES: '61' }],
  ['SESSION_HOURS', { SESSION_HOURS: '0' }],
])('%s is refused by its name: %j', (variable, environment) => {
  expect(() => loadConfig(environment)).toThrow(new RegExp(`^Configuration: .*${variable}: `));
});
