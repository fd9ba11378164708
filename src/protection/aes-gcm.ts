import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';

/*
 * AES-256-GCM (NIST SP 800-38D). Each message gets a 96-bit nonce from the random generator of the system. No caller
 * can choose a nonce, so no caller can use one twice by mistake. By section 8.3, one key may encrypt 2^32 messages this
 * way.
 */

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** Bytes by which an encrypted message is longer than its plaintext. */
export const overheadBytes = nonceBytes + tagBytes;

/**
 * Encrypts and authenticates a message.
 * @param key 256 bits
 * @param context authenticated with the message but not part of it; decryption needs the same context
 * @returns nonce, ciphertext and tag, in this order
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
 * Decrypts a message of `encrypt`.
 * @throws Error when message, context or key differ in any bit from those of the encryption
 */
export function decrypt(key: KeyObject, context: Uint8Array, message: Uint8Array): Buffer {
  if (message.length < overheadBytes) throw new Error('the message is too short for a nonce and a tag');
  const decipher = createDecipheriv(algorithm, key, message.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(context);
  decipher.setAuthTag(message.subarray(message.length - tagBytes));
  const plaintext = decipher.update(message.subarray(nonceBytes, message.length - tagBytes));
  decipher.final();
  return plaintext;
}
