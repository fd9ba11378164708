/** Covers src/identity/oidc/oidc-claims.ts, src/identity/oidc/oidc-verifier.ts. */
// Threat: a user of the identity provider comes in after being shut out, in another organization, or with another role.

import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, describe, expect, test } from 'vitest';
import { asAdmin, createUser, refusalsOf, updateUserMutation } from '../support/identity.js';
import { startIdentityProvider } from '../support/identity-provider.js';
import { connectSocket, openSocket } from '../support/raw-socket.js';
import { expectRefusedToken } from '../support/expect-refused-token.js';
import { codesOf, startSystem } from '../support/system.js';

const provider = await startIdentityProvider();
afterAll(() => provider.close());
const system = await startSystem({ worker: false, environment: provider.environment });
await system.organizationId('alpha');

describe("a token of the hospital's identity provider", () => {
  const viewer = async (token: string) =>
    (
      await system.post<{ viewer: { username: string; role: string; organization: { slug: string } } }>(
        '{ viewer { username role organization { slug } } }',
        undefined,
        token,
      )
    ).data;

  // Shows: 164.312(a)(2)(i)
  test('is accepted over HTTP and WebSocket, and an administrator can find its user and shut it out', async () => {
    const token = await provider.token({ claims: { sub: 'oidc|4711' } });
    expect(await viewer(token)).toEqual({
      viewer: { username: 'oidc|4711', role: 'CLINICIAN', organization: { slug: 'alpha' } },
    });
    const socket = await connectSocket(system.url, token);
    await expect
      .poll(async () => (await system.app.models.users.findOne({ username: 'oidc|4711' }))?.role)
      .toBe('CLINICIAN');
    const user = await system.app.models.users.findOne({ username: 'oidc|4711' }).orFail();
    await asAdmin(system, updateUserMutation, { input: { id: user.id as string, disabled: true } });
    expect((await socket.closed).code).toBe(4403);
    await expectRefusedToken(system, token);
    // A new token of the provider, which does not know of this, does not let the user in again either.
    await expectRefusedToken(
      system,
      await provider.token({ claims: { sub: 'oidc|4711', iat: Math.floor(Date.now() / 1000) + 2 } }),
    );
    await asAdmin(system, updateUserMutation, { input: { id: user.id as string, disabled: false } });
  });

  // Shows: 164.312(a)(2)(i), owasp/unicode
  test('lets a disabled user in again in no other spelling', async () => {
    const spellings = ['Ada.King', 'ADA.KING', '\uff41da.king', ' ada.king\u3000', 'ada.king\u200b', 'ad\u00ada.king'];
    const token = await provider.token({ claims: { sub: 'ada.king' } });
    expect(await viewer(token)).toMatchObject({ viewer: { username: 'ada.king' } });
    expect(await viewer(await provider.token({ claims: { sub: 'Ada.King' } }))).toMatchObject({
      viewer: { username: 'ada.king' },
    });
    await expect.poll(() => system.app.models.users.countDocuments({ username: 'ada.king' })).toBe(1);
    const user = await system.app.models.users.findOne({ username: 'ada.king' }).orFail();
    await asAdmin(system, updateUserMutation, { input: { id: user.id as string, disabled: true } });
    for (const sub of spellings) await expectRefusedToken(system, await provider.token({ claims: { sub } }));
    expect(await system.app.models.users.countDocuments({ username: /king/i })).toBe(1);
  });

  test('with several roles gets the first mapped one, also from a claim within a claim', async () => {
    const mapped = await startSystem({
      worker: false,
      environment: {
        ...provider.environment,
        OIDC_ORGANIZATION_CLAIM: 'https://hospital.example/tenant',
        OIDC_ROLE_CLAIM: 'realm_access.roles',
        OIDC_USERNAME_CLAIM: 'preferred_username',
        OIDC_ROLE_MAPPING: 'cn=doctors,dc=hospital=CLINICIAN; research=ANALYST',
      },
    });
    await mapped.organizationId('gamma');
    const token = (roles: unknown) =>
      provider.token({
        claims: {
          'https://hospital.example/tenant': 'gamma',
          preferred_username: 'ada',
          realm_access: { roles },
          role: 'ADMIN',
        },
      });
    const roleOf = async (roles: unknown) =>
      (
        await mapped.post<{ viewer: object }>(
          '{ viewer { username role organization { slug } } }',
          undefined,
          await token(roles),
        )
      ).data?.viewer;
    expect(await roleOf(['staff', 'research', 'cn=doctors,dc=hospital'])).toEqual({
      username: 'ada',
      role: 'CLINICIAN',
      organization: { slug: 'gamma' },
    });
    expect(await roleOf('research')).toMatchObject({ role: 'ANALYST' });
    expect(await refusalsOf(mapped, await token(['staff', 'ADMIN', 'CLINICIAN']))).toEqual(['UNAUTHENTICATED']);
    expect(await refusalsOf(mapped, await token(undefined))).toEqual(['UNAUTHENTICATED']);
  });

  // Shows: 164.312(d)
  test('is accepted for the organizations of its issuer, and for no other', async () => {
    const lines: string[] = [];
    const logger = pino(
      { level: 'info' },
      new Writable({ write: (chunk: Buffer, _encoding, done) => (lines.push(chunk.toString()), done()) }),
    );
    const limited = await startSystem({
      worker: false,
      logger,
      environment: { ...provider.environment, OIDC_ORGANIZATIONS: 'st-mary, alpha' },
    });
    for (const slug of ['alpha', 'st-mary', 'mercy']) await limited.organizationId(slug);
    const refusals = async (organization: unknown) =>
      refusalsOf(limited, await provider.token({ claims: { organization, sub: 'Canary' } }));
    expect(await refusals('alpha')).toEqual([]);
    expect(await refusals('st-mary')).toEqual([]);
    expect(lines.join('')).not.toContain('OIDC');
    for (const organization of ['mercy', 'ALPHA', 'alpha ', 'alpha,st-mary', 'not-there'])
      expect(await refusals(organization)).toEqual(['UNAUTHENTICATED']);
    const socket = await openSocket(limited.url);
    socket.send({
      type: 'connection_init',
      payload: { authorization: `Bearer ${await provider.token({ claims: { organization: 'mercy' } })}` },
    });
    expect((await socket.closed).code).toBe(4403);
    expect(await limited.app.models.users.countDocuments({ organization: await limited.organizationId('mercy') })).toBe(
      0,
    );
    const warnings = lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ level }) => level === pino.levels.values.warn);
    expect(warnings.slice(0, 2)).toMatchObject([
      { issuer: provider.issuer, organization: 'mercy', msg: expect.stringContaining('OIDC_ORGANIZATIONS') as string },
      { issuer: provider.issuer },
    ]);
    expect(lines.join('')).not.toMatch(/Canary|ALPHA/);
  });
});

// Shows: 164.312(a)(2)(i)
test('a token of the provider gets no rights of a local user with the same name', async () => {
  const user = await createUser(system, { role: 'ADMIN', organization: 'beta' });
  const token = await provider.token({ claims: { sub: user.username, organization: 'alpha', role: 'ANALYST' } });
  expect(codesOf(await system.post('{ users { totalCount } }', undefined, token))).toEqual(['FORBIDDEN']);
});
