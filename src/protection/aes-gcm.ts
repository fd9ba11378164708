import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';

/*
 * AES-256-GCM (NIST SP 800-38D) with a 96-bit nonce from the system's random generator for every message: no caller can
 * choose one, so none can be used twice by mistake. By section 8.3 a key may encrypt 2^32 messages that way.
 */

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** How much longer than the plaintext an encrypted message is. */
export const overheadBytes = nonceBytes + tagBytes;

/**
 * Encrypts and authenticates.
 * @param key 256 bits
 * @param context authenticated with the message, not part of it: decrypting needs the same
 * @returns nonce, ciphertext, tag
 */
export function encrypt(key: KeyObject, context: Uint8Array, plaintext: Uint8Array): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(context);
  const ciphertext = cipher.update(plaintext);
  // GCM is a stream cipher: final() only computes the tag.
  cipher.final();
  return Buffer.concat([nonce, ciphertext, cipher.getAuthTag()]);
}

/**
 * Decrypts what `encrypt` made.
 * @throws Error when a bit of message, context or key is another one
 */
export function decrypt(key: KeyObject, context: Uint8Array, message: Uint8Array): Buffer {
  if (message.length < overheadBytes) throw new Error('too short for a nonce and a tag');
  const decipher = createDecipheriv(algorithm, key, message.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(context);
  decipher.setAuthTag(message.subarray(message.length - tagBytes));
  const plaintext = decipher.update(message.subarray(nonceBytes, message.length - tagBytes));
  decipher.final();
  return plaintext;
}
