/** Covers src/http/rate-limits.ts, src/http/server.ts. */
// Threat: a client claims another address, to use the limits of another client or to be recorded as another.

import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/config.js';
import { StartupError } from '../../src/errors.js';
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
