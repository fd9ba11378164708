import { parseOptions } from '@node-rs/argon2';
import { expect, test } from 'vitest';
import { argon2Parameters, createPasswords, unmatchedHash } from '../../../src/identity/passwords/passwords.js';

test('a verification without a hash costs as much as one with a hash', async () => {
  const passwords = createPasswords();
  expect(parseOptions(unmatchedHash())).toEqual(parseOptions(await passwords.hash('a password', 'org')));
  expect(parseOptions(unmatchedHash())).toMatchObject(argon2Parameters);
  expect(passwords.isOutdated(unmatchedHash())).toBe(false);
});

test('the hash that stands in is another one in each process, and no password matches it', async () => {
  const passwords = createPasswords();
  const [first, second] = [unmatchedHash(), unmatchedHash()];
  expect(first).not.toBe(second);
  expect(await passwords.verify(first, '', 'org')).toBe(false);
  expect(await passwords.verify(undefined, 'a password', undefined)).toBe(false);
  expect(passwords.verifications).toBe(2);
});
