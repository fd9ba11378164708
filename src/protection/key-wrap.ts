import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { decrypt, encrypt } from './aes-gcm.js';

/*
 * Wrapped keys: a data key encrypted under a master key, version byte first. What it is for is authenticated with it, so
 * that the key of one organization cannot be handed to another, nor an index key be used to encrypt.
 */

const version = 1;
const keyBytes = 32;

/** What a key is for. Ids are 12 bytes. */
export interface KeyOwner {
  readonly organization: Uint8Array;
  readonly id: Uint8Array;
  readonly purpose: string;
}

/** Encrypts a key that is random and new. */
export function wrapNewKey(masterKey: KeyObject, owner: KeyOwner): Buffer {
  return wrap(masterKey, owner, randomBytes(keyBytes));
}

/** The same key under another master key. @throws Error as `unwrapKey` */
export function rewrapKey(from: KeyObject, to: KeyObject, owner: KeyOwner, wrapped: Uint8Array): Buffer {
  return wrap(to, owner, unwrap(from, owner, wrapped));
}

/** @throws Error when the master key is another one, or key or owner were changed */
export function unwrapKey(masterKey: KeyObject, owner: KeyOwner, wrapped: Uint8Array): KeyObject {
  return createSecretKey(unwrap(masterKey, owner, wrapped));
}

function wrap(masterKey: KeyObject, owner: KeyOwner, key: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(version), encrypt(masterKey, contextOf(owner), key)]);
}

function unwrap(masterKey: KeyObject, owner: KeyOwner, wrapped: Uint8Array): Buffer {
  if (wrapped[0] !== version) throw new Error('not a wrapped key that this version knows');
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
