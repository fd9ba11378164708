import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { decrypt, encrypt } from './aes-gcm.js';

/*
 * Wrapped keys: a data key encrypted under a master key, with a version byte before it. Its owner and purpose are
 * authenticated too. So a key of one organization cannot be used for another one, and an index key cannot be used for
 * fields.
 */

const version = 1;
const keyBytes = 32;

/** The organization, id and purpose of a data key. Ids are 12 bytes. */
export interface KeyOwner {
  readonly organization: Uint8Array;
  readonly id: Uint8Array;
  readonly purpose: string;
}

/** Makes a new random key and wraps it. */
export function wrapNewKey(masterKey: KeyObject, owner: KeyOwner): Buffer {
  return wrap(masterKey, owner, randomBytes(keyBytes));
}

/** Wraps a wrapped key again, under another master key. @throws Error as `unwrapKey` */
export function rewrapKey(from: KeyObject, to: KeyObject, owner: KeyOwner, wrapped: Uint8Array): Buffer {
  return wrap(to, owner, unwrap(from, owner, wrapped));
}

/** Decrypts a wrapped key. @throws Error when the master key is wrong, or the wrapped key or its owner was changed */
export function unwrapKey(masterKey: KeyObject, owner: KeyOwner, wrapped: Uint8Array): KeyObject {
  return createSecretKey(unwrap(masterKey, owner, wrapped));
}

function wrap(masterKey: KeyObject, owner: KeyOwner, key: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(version), encrypt(masterKey, contextOf(owner), key)]);
}

function unwrap(masterKey: KeyObject, owner: KeyOwner, wrapped: Uint8Array): Buffer {
  if (wrapped[0] !== version) throw new Error('not a wrapped key that this version of RiskGraph knows');
  return decrypt(masterKey, contextOf(owner), wrapped.subarray(1));
}

function contextOf({ organization, id, purpose }: KeyOwner): Buffer {
  return Buffer.concat([
    Buffer.from('riskgraph.data-key\0'),
    Buffer.of(version),
    organization,
    id,
    Buffer.from(purpose),
  ]);
}
