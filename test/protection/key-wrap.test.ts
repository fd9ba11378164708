import { createSecretKey, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { rewrapKey, unwrapKey, wrapNewKey, type KeyOwner } from '../../src/protection/key-wrap.js';

const newKey = () => createSecretKey(randomBytes(32));
const masterKey = newKey();
const owner: KeyOwner = { organization: randomBytes(12), id: randomBytes(12), purpose: 'FIELDS' };

test('each new key is a different one of 256 bits, and unwraps to the same key', () => {
  const wrapped = Array.from({ length: 100 }, () => wrapNewKey(masterKey, owner));
  const keys = wrapped.map((bytes) => unwrapKey(masterKey, owner, bytes).export());
  expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(100);
  expect(keys.every((key) => key.length === 32)).toBe(true);
  wrapped.forEach((bytes, index) => expect(bytes.includes(keys[index]!)).toBe(false));
});

test('a wrapped key with any changed bit is refused', () => {
  const wrapped = wrapNewKey(masterKey, owner);
  for (let bit = 0; bit < 8 * wrapped.length; bit += 1) {
    const changed = Buffer.from(wrapped);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    expect(() => unwrapKey(masterKey, owner, changed), `bit ${bit}`).toThrow();
  }
});

test('a key unwraps only for its own organization, id and purpose, under its own master key', () => {
  const wrapped = wrapNewKey(masterKey, owner);
  expect(() => unwrapKey(newKey(), owner, wrapped)).toThrow();
  for (const other of [{ organization: randomBytes(12) }, { id: randomBytes(12) }, { purpose: 'INDEX' }]) {
    expect(() => unwrapKey(masterKey, { ...owner, ...other }, wrapped)).toThrow();
  }
});

test('a key wrapped again is the same key, and the old master key no longer unwraps it', () => {
  const next = newKey();
  const wrapped = wrapNewKey(masterKey, owner);
  const again = rewrapKey(masterKey, next, owner, wrapped);
  expect(unwrapKey(next, owner, again).equals(unwrapKey(masterKey, owner, wrapped))).toBe(true);
  expect(() => unwrapKey(masterKey, owner, again)).toThrow();
});
