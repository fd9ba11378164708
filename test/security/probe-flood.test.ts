/** Covers src/http/probe-limit.ts, src/http/health.ts, src/http/metrics.ts. */
// Threat: a client without a credential floods health and metrics, and so the databases that they ask.

import { expect, test } from 'vitest';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false, environment: { TRUST_PROXY: 'loopback' } });
const ask = async (address: string, path = '/health/ready'): Promise<number> =>
  (await fetch(`${system.url}${path}`, { headers: { 'x-forwarded-for': address } })).status;

// Shows: owasp/system-resources
test('a flood of health requests from many addresses asks the database once per second', async () => {
  const admin = system.app.database.db!.admin();
  let pings = 0;
  system.app.database.db!.admin = () =>
    Object.assign(Object.create(admin) as typeof admin, {
      ping: () => {
        pings += 1;
        return admin.ping();
      },
    });
  const began = performance.now();
  const statuses = await Promise.all(Array.from({ length: 300 }, (_, index) => ask(`192.0.2.${index % 250}`)));
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(pings).toBeGreaterThan(0);
  expect(pings).toBeLessThanOrEqual(1 + Math.ceil((performance.now() - began) / 1000));
});

// Shows: owasp/rate-limits
test('requests of one address to health and metrics are limited together, and apart from those to GraphQL', async () => {
  const paths = ['/health/live', '/health/ready', '/health', '/metrics'];
  let refused = 0;
  for (let round = 0; round < 32; round++) {
    const path = paths[round % paths.length];
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask('198.51.100.1', path)));
    refused += answers.filter((status) => status === 429).length;
  }
  expect(refused).toBe(200);
  expect(await ask('198.51.100.1', '/graphql?query=%7B__typename%7D')).not.toBe(429);
  expect(await ask('198.51.100.2')).toBe(200);
});
