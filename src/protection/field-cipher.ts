import type { KeyObject } from 'node:crypto';
import { decrypt, encrypt, overheadBytes } from './aes-gcm.js';
import { CiphertextError } from './errors.js';

/*
 * A sealed field, as bytes:
 *
 *   0        version, 1
 *   1 - 12   id of the data key
 *   13 - 24  nonce
 *   25 -     ciphertext, as long as the text in UTF-8
 *   last 16  tag
 *
 * 41 bytes more than the text. Bytes and not a text of its own: a third smaller than base64, and nothing has to be decoded
 * where ten thousand are decrypted per second. Version and key id are authenticated too, with the place where the field lies.
 */

const version = 1;
const idBytes = 12;
const headerBytes = 1 + idBytes;
const purpose = Buffer.from('riskgraph.field\0');

/** Encrypts the fields of one organization. */
export interface DataKey {
  /** 12 bytes. */
  readonly id: Uint8Array;
  readonly key: KeyObject;
}

/**
 * Encrypts and decrypts the fields of one organization. A ciphertext decrypts in its own place and nowhere else: that is this
 * organization, the document's id (12 bytes, as MongoDB's) and the field, with its collection, e.g. `patients.mrn`.
 */
interface FieldCipher {
  /** Sealing a text twice gives two ciphertexts that have nothing in common. */
  encrypt(dataKey: DataKey, document: Uint8Array, field: string, text: string): Buffer;
  /** @throws CiphertextError when it is no sealed field, was changed, belongs to another place, or its key is not there */
  decrypt(document: Uint8Array, field: string, sealed: Uint8Array): string;
}

/**
 * @param organization 12 bytes
 * @param findKey the data key of an id (hexadecimal), undefined where there is none
 */
export function createFieldCipher(
  organization: Uint8Array,
  findKey: (id: string) => KeyObject | undefined,
): FieldCipher {
  // A page decrypts thousands of fields: what stays the same from one to the next is made once.
  const contexts = new Map<string, Buffer>();
  let last: DataKey | undefined;

  /** What is authenticated with a field. Parts of fixed length before the one that has none: no two places share a context. */
  function contextOf(header: Uint8Array, document: Uint8Array, field: string): Buffer {
    let context = contexts.get(field);
    if (!context)
      contexts.set(
        field,
        (context = Buffer.concat([
          purpose,
          new Uint8Array(headerBytes),
          organization,
          new Uint8Array(idBytes),
          Buffer.from(field),
        ])),
      );
    // Overwritten for the next field: encryption and decryption have read it when they return.
    for (let index = 0; index < headerBytes; index += 1) context[purpose.length + index] = header[index]!;
    for (let index = 0; index < idBytes; index += 1)
      context[purpose.length + headerBytes + idBytes + index] = document[index]!;
    return context;
  }

  function keyOf(sealed: Uint8Array): KeyObject | undefined {
    if (last && isSealedBy(last, sealed)) return last.key;
    const key = findKey(keyIdOf(sealed));
    if (key) last = { id: sealed.slice(1, headerBytes), key };
    return key;
  }

  return {
    encrypt(dataKey, document, field, text) {
      const header = Buffer.allocUnsafe(headerBytes);
      header[0] = version;
      header.set(dataKey.id, 1);
      return Buffer.concat([
        header,
        encrypt(dataKey.key, contextOf(header, document, field), Buffer.from(text, 'utf8')),
      ]);
    },
    decrypt(document, field, sealed) {
      if (sealed.length < headerBytes + overheadBytes || sealed[0] !== version)
        throw ciphertextError(document, field, 'it is not stored as a ciphertext that this version knows');
      const key = keyOf(sealed);
      if (!key) throw ciphertextError(document, field, 'its data key is not there');
      try {
        return decrypt(key, contextOf(sealed, document, field), sealed.subarray(headerBytes)).toString('utf8');
      } catch (error) {
        throw ciphertextError(document, field, 'it was changed, or belongs to another place', error);
      }
    },
  };
}

/** Id of the data key that sealed a field, in hexadecimal. */
export function keyIdOf(sealed: Uint8Array): string {
  return Buffer.from(sealed.buffer, sealed.byteOffset + 1, idBytes).toString('hex');
}

function isSealedBy({ id }: DataKey, sealed: Uint8Array): boolean {
  for (let index = 0; index < idBytes; index += 1) if (id[index] !== sealed[1 + index]) return false;
  return true;
}

function ciphertextError(document: Uint8Array, field: string, reason: string, cause?: unknown): CiphertextError {
  return new CiphertextError(`${field} of ${Buffer.from(document).toString('hex')}`, reason, { cause });
}
