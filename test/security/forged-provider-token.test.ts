/** Covers src/identity/oidc/oidc-verifier.ts, src/identity/oidc/oidc-claims.ts, src/identity/oidc/issuer-keys.ts. */
// Threat: a caller forges or changes a token of the identity provider, or uses one that is for another purpose.

import { exportJWK, generateKeyPair } from 'jose';
import { createHmac } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { refusalsOf } from '../support/identity.js';
import { oidcAudience, startIdentityProvider, unsignedToken, type Deviation } from '../support/identity-provider.js';
import { openSocket } from '../support/raw-socket.js';
import { expectRefusedToken } from '../support/expect-refused-token.js';
import { startSystem, testSecretKey } from '../support/system.js';

const provider = await startIdentityProvider();
afterAll(() => provider.close());
const system = await startSystem({ worker: false, environment: provider.environment });
await system.organizationId('alpha');

const now = (): number => Math.floor(Date.now() / 1000);

describe("a token of the hospital's identity provider", async () => {
  test('is accepted with the type of an access token, and then no other type is', async () => {
    const typed = await startSystem({ worker: false, environment: provider.environment });
    await typed.organizationId('alpha');
    const refusals = async (typ?: string): Promise<unknown> =>
      refusalsOf(typed, await provider.token({ header: { typ } }));
    expect(await refusals()).toEqual([]);
    expect(await refusals('JWT')).toEqual([]);
    expect(await refusals('application/AT+JWT')).toEqual([]);
    expect(await refusals()).toEqual(['UNAUTHENTICATED']);
    expect(await refusals('JWT')).toEqual(['UNAUTHENTICATED']);
    expect(await refusals('at+jwt')).toEqual([]);
  });

  test('is accepted only with the type of the setting, if there is one', async () => {
    const strict = await startSystem({
      worker: false,
      environment: { ...provider.environment, OIDC_TOKEN_TYPE: 'at+jwt' },
    });
    await strict.organizationId('alpha');
    for (const [typ, expected] of [
      ['JWT', ['UNAUTHENTICATED']],
      [undefined, ['UNAUTHENTICATED']],
      ['at+jwt', []],
    ] as const)
      expect(await refusalsOf(strict, await provider.token({ header: { typ } }))).toEqual(expected);
  });

  const foreign = await generateKeyPair('RS256', { extractable: true });
  const elliptic = await generateKeyPair('ES256', { extractable: true });

  /** A token whose HMAC key is the public key. jose itself refuses to make such a token. */
  function confused(algorithm: 'HS256' | 'HS512', key: string | Buffer): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ alg: algorithm })}.${part({ iss: provider.issuer, aud: oidcAudience, sub: 'mallory', organization: 'alpha', role: 'ADMIN', iat: now(), exp: now() + 600 })}`;
    return `${signed}.${createHmac(algorithm === 'HS256' ? 'sha256' : 'sha512', key)
      .update(signed)
      .digest('base64url')}`;
  }

  // Shows: 164.312(d), owasp/ssrf
  test.each<[string, Deviation | (() => Promise<string> | string)]>([
    [
      'has no signature',
      () =>
        unsignedToken({
          iss: provider.issuer,
          aud: oidcAudience,
          sub: 'mallory',
          organization: 'alpha',
          role: 'ADMIN',
          iat: now(),
          exp: now() + 600,
        }),
    ],
    ['is an HMAC with the public key for a secret', () => confused('HS256', provider.publicPem)],
    [
      'is an HMAC with the public key for a secret, without the line end',
      () => confused('HS512', provider.publicPem.trim()),
    ],
    ['is an HMAC with our own secret', () => confused('HS256', testSecretKey)],
    ['has another key', { key: foreign.privateKey }],
    ['has another key and no key id', { key: foreign.privateKey, header: { kid: undefined } }],
    [
      'brings its own key along',
      async () => provider.token({ key: foreign.privateKey, header: { jwk: await exportJWK(foreign.publicKey) } }),
    ],
    [
      'says where its own key is',
      { key: foreign.privateKey, header: { jku: 'http://127.0.0.1:9/keys', x5u: 'http://127.0.0.1:9/x' } },
    ],
    ['has a key id that is a path', { header: { kid: '../../../../dev/null' } }],
    [
      'has an algorithm that is asymmetric, but not allowed',
      { header: { alg: 'PS256' }, key: (await generateKeyPair('PS256')).privateKey },
    ],
    [
      'has an algorithm that the key is good for, but that is not allowed',
      { header: { alg: 'PS512', kid: 'key-2' }, key: provider.general.privateKey },
    ],
    ["has an algorithm that is allowed, but not the key's", { header: { alg: 'ES256' }, key: elliptic.privateKey }],
    ['asks for an extension', { header: { crit: ['x-unlimited'], 'x-unlimited': true } }],
    ['is of another issuer', { claims: { iss: 'https://login.example.org' } }],
    [
      'has an issuer that only begins like ours',
      () => provider.token({ claims: { iss: `${provider.issuer}.example.org` } }),
    ],
    ['is an ID token', { claims: { nonce: 'n-0S6_WzA2Mj', at_hash: 'MTIzNDU2Nzg5MDEyMzQ1Ng' } }],
    ['is an ID token of Keycloak', { claims: { typ: 'ID' } }],
    ['is a refresh token of Keycloak', { claims: { typ: 'Refresh' } }],
    [
      'is a logout token',
      {
        header: { typ: 'logout+jwt' },
        claims: { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
      },
    ],
    [
      'is a logout token without a type',
      { claims: { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } } },
    ],
    ['is of another type', { header: { typ: 'dpop+jwt' } }],
    ['names its user with characters that cannot be seen', { claims: { sub: 'root\u200b' } }],
    ['is in our own name', { claims: { iss: 'riskgraph', aud: 'riskgraph-api' } }],
    ['is for another audience', { claims: { aud: 'another-app' } }],
    ['is for no audience', { claims: { aud: undefined } }],
    ['has expired', { claims: { iat: now() - 700, exp: now() - 1 } }],
    ['does not expire', { claims: { exp: undefined } }],
    ['is not valid yet', { claims: { nbf: now() + 60 } }],
    ['says not when it was issued', { claims: { iat: undefined } }],
    ['was issued in the future', { claims: { iat: now() + 300, exp: now() + 600 } }],
    ['lives for longer than revocations are kept', { claims: { exp: now() + 32 * 86_400 } }],
    ['names an organization that there is not', { claims: { organization: 'Canary-4711' } }],
    ['names a query for an organization', { claims: { organization: { $ne: null } } }],
    ['names no organization', { claims: { organization: undefined } }],
    ['names no role of ours', { claims: { role: 'physician' } }],
    ['names an inherited property for a role', { claims: { role: '__proto__' } }],
    ['names no user', { claims: { sub: undefined } }],
    ['names an API key', { claims: { sub: 'api-key:aaaaaaaaaaaaaaaaaaaaaaaa' } }],
    ['names the command line, as the audit trail does', { claims: { sub: 'command-line' } }],
    ['names whom the audit trail calls unknown', { claims: { sub: ' Unknown' } }],
  ])('is refused when it %s', async (_name, deviation) => {
    expect(await refusalsOf(system, await provider.token())).toEqual([]);
    await expectRefusedToken(
      system,
      typeof deviation === 'function' ? await deviation() : await provider.token(deviation),
    );
    expect(await system.app.models.organizations.exists({ slug: 'Canary-4711' })).toBeNull();
  });

  // Shows: 164.312(d)
  test('gets SERVICE_UNAVAILABLE while the keys cannot be fetched, and no token is accepted then', async () => {
    const cut = await startIdentityProvider();
    cut.status = 503;
    const alone = await startSystem({ worker: false, environment: cut.environment });
    await alone.organizationId('alpha');
    const token = await cut.token();
    expect(await refusalsOf(alone, token)).toEqual(['SERVICE_UNAVAILABLE']);
    const socket = await openSocket(alone.url);
    socket.send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
    expect((await socket.closed).code).toBe(1013);
    // RiskGraph's own tokens do not depend on the provider.
    expect(await refusalsOf(alone, await alone.token('ANALYST'))).toEqual([]);
    cut.status = 200;
    expect(await refusalsOf(alone, token)).toEqual([]);
    expect(cut.fetches).toBeGreaterThan(1);
    const fetched = cut.fetches;
    for (let request = 0; request < 5; request++) expect(await refusalsOf(alone, await cut.token())).toEqual([]);
    // An unknown key id does not cause repeated fetches either.
    for (let request = 0; request < 5; request++)
      expect(await refusalsOf(alone, await cut.token({ header: { kid: `made-up-${request}` } }))).toEqual([
        'UNAUTHENTICATED',
      ]);
    expect(cut.fetches).toBe(fetched);
    await cut.close();
  });

  test('is refused if no identity provider is set', async () => {
    const none = await startSystem({ worker: false });
    await none.organizationId('alpha');
    expect(await refusalsOf(none, await provider.token())).toEqual(['UNAUTHENTICATED']);
  });
});
