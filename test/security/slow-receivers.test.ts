/** Covers src/net/public-lookup.ts, workers/webhooks.ts. */
// Threat: an organization names receivers that never answer, or names that no server answers for, and so holds up the
// webhooks of others.

import { pbkdf2 } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createPublicLookup, type LookupAll } from '../../src/net/public-lookup.js';
import { scored } from '../support/scenario.js';
import { startNameServer } from '../support/name-server.js';
import { startSystem, type System } from '../support/system.js';

const addressesOf = (lookup: LookupAll, name: string): Promise<string[]> =>
  new Promise((resolve, reject) =>
    lookup(name, { all: true }, (error, addresses) =>
      error ? reject(error) : resolve(addresses.map(({ address }) => address)),
    ),
  );

// Shows: owasp/system-resources
test('names whose server never answers do not hold up the look-up of another name', async () => {
  const { address, asked } = await startNameServer((name) => (name.startsWith('slow') ? undefined : '93.184.216.34'));
  const lookup = createPublicLookup([address]);
  let ended = 0;
  const slow = Array.from({ length: 40 }, (_, index) =>
    addressesOf(lookup, `slow${index}.example.org`).catch(() => (ended += 1)),
  );
  await expect.poll(() => new Set(asked).size).toBe(40);
  expect(await addressesOf(lookup, 'care.example.org')).toEqual(['93.184.216.34']);
  expect(ended).toBe(0);
  await Promise.all(slow);
  expect(ended).toBe(40);
});

// Shows: owasp/system-resources
test('a look-up needs none of the threads that hash and read files', async () => {
  const { address } = await startNameServer(() => '93.184.216.34');
  let hashed = 0;
  const hashes = Array.from(
    { length: 8 },
    () =>
      new Promise((resolve) =>
        pbkdf2('password', 'salt', 200_000, 32, 'sha512', (_error, key) => {
          hashed += 1;
          resolve(key);
        }),
      ),
  );
  expect(await addressesOf(createPublicLookup([address]), 'care.example.org')).toEqual(['93.184.216.34']);
  expect(hashed).toBeLessThan(8);
  await Promise.all(hashes);
});

test('a name without addresses is an error of the look-up', async () => {
  const { address } = await startNameServer(() => null);
  await expect(addressesOf(createPublicLookup([address]), 'nothing.example.org')).rejects.toMatchObject({
    code: 'ENOTFOUND',
    syscall: 'queryA',
  });
});

/** A receiver of this machine. @param answers false: it takes each message, and never answers */
async function receiver(answers: boolean): Promise<{ readonly url: string; readonly paths: string[] }> {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url!);
    if (answers) response.writeHead(204).end();
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://localhost:${(server.address() as AddressInfo).port}`, paths };
}

async function addEndpoint(system: System, url: string, slug: string): Promise<void> {
  const { errors } = await system.post(
    'mutation ($url: String!) { createWebhookEndpoint(input: { url: $url }) { endpoint { id } } }',
    { url },
    await system.token('SERVICE', slug),
  );
  expect(errors).toBeUndefined();
}

// Shows: owasp/system-resources
test('receivers of one organization that never answer leave places to those of another', async () => {
  const system = await startSystem({
    environment: {
      WEBHOOK_ALLOWED_HOSTS: 'localhost',
      // Longer than this test may take.
      WEBHOOK_TIMEOUT_SECONDS: '60',
      WEBHOOK_CONCURRENCY: '6',
      RECONCILE_INTERVAL_MS: '200',
    },
  });
  const silent = await receiver(false);
  const other = await receiver(true);
  for (let number = 0; number < 8; number += 1) await addEndpoint(system, `${silent.url}/${number}`, 'silent');
  await addEndpoint(system, `${other.url}/told`, 'other');
  await scored(await system.client('CLINICIAN', 'silent'));
  await expect.poll(() => silent.paths.length).toBeGreaterThanOrEqual(3);
  await scored(await system.client('CLINICIAN', 'other'));
  await expect.poll(() => other.paths).toEqual(['/told']);
  expect(silent.paths).toHaveLength(3);
});
