/** Covers src/identity/passwords/hashing-gate.ts, src/identity/passwords/passwords.ts. */
// Threat: one organization hashes so many passwords that the users of others cannot log in.

import { expect, test } from 'vitest';
import { ServiceUnavailableError } from '../../src/errors.js';
import { createHashingGate } from '../../src/identity/passwords/hashing-gate.js';
import { createUser, credentialOf, goodPassword, loginMutation } from '../support/identity.js';
import { codesOf, startSystem } from '../support/system.js';

/** Work that ends when the test says so. */
function heldWork() {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  return {
    begun,
    work: (name: string) => () => {
      begun.push(name);
      return new Promise<void>((resolve) => ends.push(resolve));
    },
    async endOne() {
      ends.shift()!();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

// Shows: owasp/system-resources
test('the queues of organizations take turns', async () => {
  const gate = createHashingGate();
  const { begun, work, endOne } = heldWork();
  for (let number = 0; number < 50; number++) void gate.run('flood', work('flood'));
  for (const name of ['a', 'b', 'b']) void gate.run(name, work(name));
  for (let number = 0; number < 6; number++) await endOne();
  expect(begun).toEqual(['flood', 'flood', 'flood', 'a', 'b', 'flood', 'b', 'flood']);
});

// Shows: owasp/system-resources
test('when too many wait, those of the longest queue are refused, and never the first ones of another', async () => {
  const gate = createHashingGate();
  const { begun, work, endOne } = heldWork();
  const floods = Array.from({ length: 150 }, () => gate.run('flood', work('flood')).catch((error: unknown) => error));
  const others = Array.from({ length: 12 }, (_, index) => gate.run(`other-${index}`, work(`other-${index}`)));
  for (let number = 0; number < 14; number++) await endOne();
  expect(begun.filter((name) => name.startsWith('other'))).toHaveLength(12);
  await Promise.all(others.slice(0, 10));
  const refused = await Promise.all(floods.slice(-48));
  expect(refused.every((error) => error instanceof ServiceUnavailableError)).toBe(true);
});

// Shows: owasp/system-resources
test('an administrator who creates users without end makes no login of another organization fail', async () => {
  const system = await startSystem({ worker: false });
  const user = await createUser(system, { organization: 'beta' });
  const admin = await system.token('ADMIN');
  const createUserMutation = 'mutation ($input: CreateUserInput!) { createUser(input: $input) { id } }';
  const flood = Promise.all(
    Array.from({ length: 200 }, (_, number) =>
      system.post(
        createUserMutation,
        { input: { username: `flood-${number}`, role: 'CLINICIAN', password: goodPassword } },
        admin,
      ),
    ),
  );
  for (let number = 0; number < 12; number++)
    expect(codesOf(await system.post(loginMutation, { input: credentialOf(user) }))).toEqual([]);
  // How many are refused depends on the speed of the machine; the test above shows that too many are.
  for (const code of (await flood).flatMap(codesOf)) expect(code).toBe('SERVICE_UNAVAILABLE');
});
