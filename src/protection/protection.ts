import { hkdfSync, type KeyObject } from 'node:crypto';
import { type Types } from 'mongoose';
import type { Ciphertext } from '../../models/index.js';
import { bytesOf, toBinary } from '../storage/binary.js';
import { blindIndex, type IndexedField } from './blind-index.js';
import { createFieldCipher } from './field-cipher.js';
import type { Keyring } from './keyring.js';

/** Seals (encrypts) and indexes fields with the active keys of one organization. */
export interface FieldWriter {
  /** Id of the data key. A document stores it as `dataKey`, and has all its ciphertexts under this one key. */
  readonly dataKey: Types.ObjectId;
  /** Encrypts one field of a document. @param field collection and field, e.g. `patients.mrn` */
  seal(document: Types.ObjectId, field: string, text: string): Ciphertext;
  /** The index that finds a value in an encrypted field: see blind-index.ts. */
  blindIndex(field: IndexedField, value: string): string;
  /**
   * A key of 32 bytes for another purpose, derived from the index key (HKDF, RFC 5869). No rotation changes either key.
   */
  derivedKey(purpose: string): Buffer;
}

/**
 * Decrypts a sealed field of one organization.
 * @throws CiphertextError when it was changed, belongs to another place, or its data key is missing
 */
export type FieldReader = (document: Types.ObjectId, field: string, ciphertext: Ciphertext) => string;

/** Encryption of the fields of one organization's documents. */
export interface Protection {
  /** A writer with the active keys. The first use creates them. */
  writer(): Promise<FieldWriter>;
  /** A reader that has loaded these data keys. */
  reader(dataKeys: Iterable<Types.ObjectId | undefined>): Promise<FieldReader>;
  /** A data key that a reader has loaded; undefined when it is missing. What it decrypted may be kept as long as it is. */
  keyOf(dataKey: Types.ObjectId): KeyObject | undefined;
  /**
   * Encrypts a text, e.g. the reason of a clinician. For several texts in one document, use one `writer`. List the
   * collection in `protectedCollections`, so that a rotation finds the ciphertext.
   * @returns the ciphertext, and the id of its key for the `dataKey` of the document
   */
  protect(
    document: Types.ObjectId,
    field: string,
    text: string,
  ): Promise<{ readonly dataKey: Types.ObjectId; readonly ciphertext: Ciphertext }>;
}

/** The protection of an organization's documents. */
export type ProtectionOf = (organization: Types.ObjectId) => Protection;

export function createProtection(keyring: Keyring): ProtectionOf {
  const derived = createDerivedKeys();
  return (organization) => {
    const cipher = createFieldCipher(organization.id, keyring.find);
    const protection: Protection = {
      async writer() {
        const { fields, index } = await keyring.writing(organization);
        const dataKey = { id: fields.id.id, key: fields.key };
        return {
          dataKey: fields.id,
          seal: (document, field, text) => toBinary(cipher.encrypt(dataKey, document.id, field, text)),
          blindIndex: (field, value) => blindIndex(index, field, value),
          derivedKey: (purpose) => derived(index, organization, purpose),
        };
      },
      async reader(dataKeys) {
        await keyring.load(dataKeys);
        return (document, field, ciphertext) => cipher.decrypt(document.id, field, bytesOf(ciphertext));
      },
      keyOf: (dataKey) => keyring.find(dataKey.toHexString()),
      async protect(document, field, text) {
        const { dataKey, seal } = await protection.writer();
        return { dataKey, ciphertext: seal(document, field, text) };
      },
    };
    return protection;
  };
}

/** Derives keys, and remembers each one while its index key is in use. */
function createDerivedKeys(): (key: KeyObject, organization: Types.ObjectId, purpose: string) => Buffer {
  const remembered = new WeakMap<KeyObject, Map<string, Buffer>>();
  return (key, organization, purpose) => {
    const ofKey = remembered.get(key) ?? new Map<string, Buffer>();
    remembered.set(key, ofKey);
    const name = `${organization.toHexString()} ${purpose}`;
    const known = ofKey.get(name) ?? Buffer.from(hkdfSync('sha256', key, organization.id, `riskgraph ${purpose}`, 32));
    ofKey.set(name, known);
    return known;
  };
}
