/** Covers src/identity/access-token.ts, src/identity/authenticator.ts. */
// Threat: a caller forges or changes a token of RiskGraph, to act as another user or with another role.

import { SignJWT, type JWTPayload } from 'jose';
import { afterAll, describe, expect, test } from 'vitest';
import { refusalsOf } from '../support/identity.js';
import { startIdentityProvider, unsignedToken } from '../support/identity-provider.js';
import { expectRefusedToken } from '../support/expect-refused-token.js';
import { startSystem, testSecretKey } from '../support/system.js';

const provider = await startIdentityProvider();
afterAll(() => provider.close());
const system = await startSystem({ worker: false, environment: provider.environment });
const organizationId = await system.organizationId('alpha');

const secret = new TextEncoder().encode(testSecretKey);
const now = (): number => Math.floor(Date.now() / 1000);

describe('a token of RiskGraph', () => {
  const claims = (): JWTPayload => ({
    iss: 'riskgraph',
    aud: 'riskgraph-api',
    sub: 'mallory',
    org: organizationId,
    role: 'ADMIN',
    iat: now(),
    exp: now() + 600,
  });
  const sign = (changes: JWTPayload, header: Record<string, unknown> = {}, key = secret): Promise<string> =>
    new SignJWT({ ...claims(), ...changes }).setProtectedHeader({ alg: 'HS256', ...header }).sign(key);

  test('is accepted unchanged, so that each refusal below has one cause', async () => {
    expect(await refusalsOf(system, await sign({}))).toEqual([]);
  });

  // Shows: 164.312(d), owasp/ssrf
  test.each<[string, () => Promise<string> | string]>([
    ['has no signature', () => unsignedToken(claims())],
    ['has no signature, written differently', () => unsignedToken(claims(), { alg: 'nOnE', typ: 'JWT' })],
    ['has another key', () => sign({}, {}, new TextEncoder().encode('another-key-of-32-characters-4711'))],
    ['has an empty key', () => sign({}, {}, new Uint8Array(32))],
    ['has another HMAC of our key', () => sign({}, { alg: 'HS512' })],
    [
      'has a signature of another token',
      async () =>
        [...(await sign({})).split('.').slice(0, 2), (await sign({ role: 'ANALYST' })).split('.')[2]].join('.'),
    ],
    ['is of another issuer', () => sign({ iss: 'another-issuer' })],
    ['is of no issuer', () => sign({ iss: undefined })],
    ['is for another audience', () => sign({ aud: 'another-api' })],
    ['is for no audience', () => sign({ aud: undefined })],
    ['has expired', () => sign({ iat: now() - 700, exp: now() - 1 })],
    ['does not expire', () => sign({ exp: undefined })],
    ['lives for longer than revocations are kept', () => sign({ exp: now() + 32 * 86_400 })],
    ['is not valid yet', () => sign({ nbf: now() + 60 })],
    ['says not when it was issued', () => sign({ iat: undefined })],
    ['was issued in the future, to outlive a revocation', () => sign({ iat: now() + 300 })],
    ['has no such role', () => sign({ role: 'ROOT' })],
    ['has no organization', () => sign({ org: undefined })],
    ['has a query for an organization', () => sign({ org: { $ne: null } } as JWTPayload)],
    ['names a session that is none', () => sign({ sid: '../../x' })],
    ['is garbage', () => 'a.b.c'],
    ['is garbage that looks like an API key', () => 'rgk_a.b.c'],
  ])('is refused when it %s', async (_name, forge) => {
    await expectRefusedToken(system, await forge());
  });
});
