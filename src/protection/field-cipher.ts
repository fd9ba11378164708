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
 * where ten thousand are opened a second. Version and key id are authenticated too, with the place where the field lies.
 */

const version = 1;
const idBytes = 12;
const headerBytes = 1 + idBytes;
const purpose = Buffer.from('riskgraph.field\0');

/** Where a sealed field lies. A ciphertext opens there and nowhere else. Ids are 12 bytes, as MongoDB's. */
export interface FieldPlace {
  readonly organization: Uint8Array;
  readonly document: Uint8Array;
  /** Collection and field, e.g. `patients.mrn`. */
  readonly field: string;
}

/** Encrypts the fields of one organization. */
export interface DataKey {
  /** 12 bytes. */
  readonly id: Uint8Array;
  readonly key: KeyObject;
}

/** Encrypts one field. Sealing a text twice gives two ciphertexts that have nothing in common. */
export function sealField({ id, key }: DataKey, place: FieldPlace, text: string): Buffer {
  const header = Buffer.allocUnsafe(headerBytes);
  header[0] = version;
  header.set(id, 1);
  return Buffer.concat([header, encrypt(key, contextOf(header, place), Buffer.from(text, 'utf8'))]);
}

/**
 * Decrypts one field.
 * @param findKey the data key of an id (hexadecimal), undefined where there is none
 * @throws CiphertextError when it is no sealed field, was changed, belongs to another place, or its key is not there
 */
export function openField(findKey: (id: string) => KeyObject | undefined, place: FieldPlace, sealed: Uint8Array): string {
  if (sealed.length < headerBytes + overheadBytes || sealed[0] !== version) throw fault(place, 'it is not stored as a ciphertext that this version knows');
  const key = findKey(keyIdOf(sealed));
  if (!key) throw fault(place, 'its data key is not there');
  try {
    return decrypt(key, contextOf(sealed, place), sealed.subarray(headerBytes)).toString('utf8');
  } catch (error) {
    throw fault(place, 'it was changed, or belongs to another place', error);
  }
}

/** Id of the data key that sealed a field, in hexadecimal. */
export function keyIdOf(sealed: Uint8Array): string {
  return Buffer.from(sealed.buffer, sealed.byteOffset + 1, idBytes).toString('hex');
}

/** Parts of fixed length before the one that has none: no two places share a context. */
function contextOf(header: Uint8Array, { organization, document, field }: FieldPlace): Buffer {
  const context = Buffer.allocUnsafe(purpose.length + headerBytes + 2 * idBytes + Buffer.byteLength(field));
  context.set(purpose, 0);
  context.set(header.subarray(0, headerBytes), purpose.length);
  context.set(organization, purpose.length + headerBytes);
  context.set(document, purpose.length + headerBytes + idBytes);
  context.write(field, purpose.length + headerBytes + 2 * idBytes);
  return context;
}

function fault({ document, field }: FieldPlace, reason: string, cause?: unknown): CiphertextError {
  return new CiphertextError(`${field} of ${Buffer.from(document).toString('hex')}`, reason, { cause });
}
