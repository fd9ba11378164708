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
 * A sealed field has 41 bytes more than its text. It is stored as bytes and not as base64: base64 is a third longer,
 * and takes time to decode when ten thousand fields are decrypted per second. Version, key id and place of the field
 * are authenticated.
 */

const version = 1;
const idBytes = 12;
const headerBytes = 1 + idBytes;
const purpose = Buffer.from('riskgraph.field\0');

/** A key that encrypts fields of one organization, with its id. */
export interface DataKey {
  /** 12 bytes. */
  readonly id: Uint8Array;
  readonly key: KeyObject;
}

/**
 * Encrypts and decrypts the fields of one organization. A ciphertext can be decrypted only in its own place. The place
 * is the organization, the id of the document (12 bytes, as in MongoDB), and the collection and field, e.g.
 * `patients.mrn`.
 */
interface FieldCipher {
  /** Encrypts a text. Two encryptions of one text give two unrelated ciphertexts. */
  encrypt(dataKey: DataKey, document: Uint8Array, field: string, text: string): Buffer;
  /**
   * Decrypts a field.
   * @throws CiphertextError when it is no sealed field, was changed or moved, or its key is missing
   */
  decrypt(document: Uint8Array, field: string, sealed: Uint8Array): string;
}

/**
 * @param organization 12 bytes
 * @param findKey gives the data key of a hexadecimal id; undefined when it is missing
 */
export function createFieldCipher(
  organization: Uint8Array,
  findKey: (id: string) => KeyObject | undefined,
): FieldCipher {
  // A page decrypts thousands of fields, so the context of each field and the last key are kept.
  const contexts = new Map<string, Buffer>();
  let last: DataKey | undefined;

  /**
   * The bytes that are authenticated with a field. Only the last part varies in length, so no two places share a
   * context.
   */
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
    // The same buffer is written again for the next field. That is safe: encryption and decryption have read it by
    // then.
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
        throw ciphertextError(document, field, 'it is not a ciphertext that this version of RiskGraph knows');
      const key = keyOf(sealed);
      if (!key) throw ciphertextError(document, field, 'its data key is missing');
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
