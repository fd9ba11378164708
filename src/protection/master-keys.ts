import { createHash, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/** A key that wraps the data keys of the organizations. Processes get it from their settings; it is never stored. */
export interface MasterKey {
  /** Id, stored with every data key that this key wraps. */
  readonly id: string;
  readonly key: KeyObject;
}

const keyBytes = 32;
const form =
  'must be "id:key" with an id of 1 to 40 letters, digits, - and _, and a key of 32 bytes as 64 hexadecimal digits, ' +
  'base64 or base64url, e.g. the output of "openssl rand -hex 32"';

/**
 * Reads ENCRYPTION_KEYS: `id:key[,id:key...]`, the present key first. A key without an id is named by its fingerprint.
 * @returns the keys, and the issues with the text. An issue names an entry by its number and never repeats its text: an
 *   operator may have put the key in the place of the id
 */
export function parseMasterKeys(text: string): { readonly keys: MasterKey[]; readonly issues: string[] } {
  const keys: MasterKey[] = [];
  const issues: string[] = [];
  text.split(',').forEach((entry, index) => {
    const [, id, encoded] = /^(?:([\w-]{1,40}):)?([^:]+)$/.exec(entry.trim()) ?? [];
    const bytes = encoded && decode(encoded);
    if (!bytes) issues.push(`ENCRYPTION_KEYS: entry ${index + 1} ${form}`);
    else keys.push({ id: id ?? `key-${fingerprint(bytes)}`, key: createSecretKey(bytes) });
  });
  if (new Set(keys.map(({ id }) => id)).size < keys.length)
    issues.push('ENCRYPTION_KEYS: two entries have the same id: give each key its own id');
  return { keys, issues };
}

function decode(encoded: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(encoded)) return Buffer.from(encoded, 'hex');
  const bytes = /^[\w+/-]{43}=?$/.test(encoded) ? Buffer.from(encoded, 'base64') : undefined;
  return bytes?.length === keyBytes ? bytes : undefined;
}

/** The reason why a key cannot be a random key of its own; undefined when it can be one. */
export function masterKeyWeakness({ key }: MasterKey, secretKey: string | undefined): string | undefined {
  const bytes = key.export();
  if (secretKey !== undefined && decode(secretKey)?.equals(bytes)) return 'equals SECRET_KEY';
  // Fewer than 16 different values among 32 random bytes occur once in 10^10 keys. So do only printable characters.
  if (new Set(bytes).size < 16) return 'has too few different bytes';
  if (bytes.every((byte) => byte >= 0x20 && byte < 0x7f)) return 'is printable text and not random';
  return undefined;
}

/**
 * Derives the master key of an installation without ENCRYPTION_KEYS: HKDF-SHA-256 (RFC 5869) of the secret that signs
 * tokens. Each secret gives another id.
 */
export function deriveMasterKey(secretKey: string): MasterKey {
  const bytes = Buffer.from(hkdfSync('sha256', secretKey, '', 'riskgraph.master-key', keyBytes));
  return { id: `${derivedPrefix}${fingerprint(bytes)}`, key: createSecretKey(bytes) };
}

const derivedPrefix = 'secret-key-';

/** Tells whether a master key was derived from a SECRET_KEY, by its id. */
export const isDerived = (id: string): boolean => id.startsWith(derivedPrefix);

/** Fingerprint of 32 bits: enough to tell keys apart, far too few to find a key from it. */
function fingerprint(bytes: Buffer): string {
  return createHash('sha256').update('riskgraph.fingerprint\0').update(bytes).digest('hex').slice(0, 8);
}
