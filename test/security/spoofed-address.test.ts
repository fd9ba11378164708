/** Covers src/http/request-source.ts, src/net/address-block.ts, src/http/rate-limits.ts. */
// Threat: a client claims another address, to use the limits of another client or to be recorded as another.

import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/config.js';
import { StartupError } from '../../src/errors.js';
import { loginLimits } from '../../src/identity/sessions/login-throttle.js';
import { createUser, credentialOf, listenToAudit, loginMutation } from '../support/identity.js';
import { startSystem, type System } from '../support/system.js';

const limits = { RATE_LIMIT_ADDRESS_PER_MINUTE: '3' };
const direct = await startSystem({ worker: false, environment: limits });
const behindProxy = await startSystem({
  worker: false,
  environment: { ...limits, TRUST_PROXY: 'loopback, 10.0.0.0/8' },
});

const statusFrom = async ({ url }: System, forwarded: string): Promise<number> =>
  (
    await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-forwarded-for': forwarded,
        forwarded: `for=${forwarded}`,
        'x-real-ip': forwarded,
      },
      body: '{"query":"{ viewer { role } }"}',
    })
  ).status;

// Shows: owasp/request-smuggling
test('without a trusted proxy no header changes the address of a caller', async () => {
  const statuses = [];
  for (let number = 1; number <= 5; number++) statuses.push(await statusFrom(direct, `192.0.2.${number}`));
  expect(statuses).toEqual([200, 200, 200, 429, 429]);
});

describe('behind a trusted proxy', () => {
  test('each client is counted by its own address', async () => {
    for (let number = 1; number <= 5; number++) expect(await statusFrom(behindProxy, `192.0.2.${number}`)).toBe(200);
  });

  // Shows: owasp/rate-limits
  test('only addresses that trusted proxies have added count', async () => {
    const statuses = [];
    // The client's own claim, then the address that the outer proxy saw, then a trusted inner proxy.
    for (let number = 1; number <= 5; number++)
      statuses.push(await statusFrom(behindProxy, `198.51.100.${number}, 203.0.113.9, 10.1.2.3`));
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
  });
});

describe('an address that a proxy writes in another way', () => {
  // Shows: owasp/rate-limits
  test.each<[string, (number: number) => string]>([
    ['with a port', (number) => `203.0.113.20:${40_000 + number}`],
    ['in brackets, with a port', (number) => `[2001:db8:20::1]:${40_000 + number}`],
    ['with a zone', (number) => `fe80::20%eth${number}`],
    ['as IPv6 with the zero groups written out', (number) => `2001:db8:21:${number > 2 ? '0:0:0:0:1' : '0::1'}`],
    ['as IPv4 within IPv6', (number) => (number > 2 ? '::ffff:203.0.113.21' : '203.0.113.21')],
  ])('counts as the same one: %s', async (_name, address) => {
    const statuses = [];
    for (let number = 1; number <= 4; number++) statuses.push(await statusFrom(behindProxy, address(number)));
    expect(statuses).toEqual([200, 200, 200, 429]);
  });

  test('whose text is no address at all counts as one caller, whatever the text is', async () => {
    const statuses = [];
    for (const text of ['garbage', '_hidden', '203.0.113', '1.2.3.4.5'])
      statuses.push(await statusFrom(behindProxy, text));
    expect(statuses).toEqual([200, 200, 200, 429]);
  });

  // Shows: owasp/many-guesses
  test('does not evade the throttle of logins, and stands in the audit trail in its normal form', async () => {
    const user = await createUser(behindProxy);
    const audit = listenToAudit(behindProxy);
    const guess = async (port: number): Promise<string> =>
      (
        await fetch(`${behindProxy.url}/graphql`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            authorization: `Bearer ${await behindProxy.token('SERVICE')}`,
            'x-forwarded-for': `203.0.113.30:${port}`,
          },
          body: JSON.stringify({
            query: loginMutation,
            variables: { input: { ...credentialOf(user), password: 'this is not the one' } },
          }),
        })
      ).text();
    for (let number = 0; number < loginLimits.pair.points; number++)
      expect(await guess(50_000 + number)).toContain('INVALID_CREDENTIALS');
    expect(await guess(60_000)).toContain('RATE_LIMITED');
    expect(audit.events.filter(({ actor }) => actor.origin.address !== '203.0.113.30')).toEqual([]);
    expect(audit.events).not.toEqual([]);
  });
});

// Shows: owasp/rate-limits
test('a caller with an IPv6 /48, which holds 65,536 blocks of addresses, is stopped by a second, wider counter', async () => {
  const statuses = [];
  for (let block = 0; block < 26; block++) statuses.push(await statusFrom(behindProxy, `2001:db8:48:${block}::1`));
  // Eight times the limit of one block.
  expect(statuses).toEqual([...Array.from({ length: 24 }, () => 200), 429, 429]);
  expect(await statusFrom(behindProxy, '2001:db8:49::1')).toBe(200);
});

test.each([
  'everyone',
  '*',
  'true',
  '10.0.0.0/33',
  '10.0.0.0/0',
  '300.1.1.1',
  '2001:db8::/129',
  '10.0.0.0/8/8',
  'proxy.example.org',
])('TRUST_PROXY=%s is refused at the start', (value) => {
  expect(() => loadConfig({ TRUST_PROXY: value })).toThrow(StartupError);
  expect(() => loadConfig({ TRUST_PROXY: value })).toThrow(/TRUST_PROXY.*must be addresses, ranges/);
});
