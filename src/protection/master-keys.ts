import { createHash, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/** Wraps the data keys of the organizations. Known to the processes, never stored. */
export interface MasterKey {
  /** Stored beside every key that it wraps. */
  readonly id: string;
  readonly key: KeyObject;
}

const keyBytes = 32;
const form =
  'must read "id:key" with an id of 1 to 40 letters, digits, - and _, and a key of 32 bytes as 64 hexadecimal digits, base64 or base64url, e.g. the output of "openssl rand -hex 32"';

/**
 * Reads ENCRYPTION_KEYS: `id:key[,id:key...]`, the present key first. A key without an id is named by its fingerprint.
 * @returns the keys, and what is wrong with the text. Faults name an entry by its number, never by what it says: it may
 *   be the key that stands where the id should.
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
    issues.push('ENCRYPTION_KEYS: two entries have the same id: give each key an id of its own');
  return { keys, issues };
}

function decode(encoded: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(encoded)) return Buffer.from(encoded, 'hex');
  const bytes = /^[\w+/-]{43}=?$/.test(encoded) ? Buffer.from(encoded, 'base64') : undefined;
  return bytes?.length === keyBytes ? bytes : undefined;
}

/** Why a key is no random one of its own, or undefined when it may be. */
export function masterKeyWeakness({ key }: MasterKey, secretKey: string | undefined): string | undefined {
  const bytes = key.export();
  if (secretKey !== undefined && decode(secretKey)?.equals(bytes)) return 'is SECRET_KEY again';
  // Of 32 random bytes fewer than 16 different ones, or all of them printable characters, come once in 10^10.
  if (new Set(bytes).size < 16) return 'repeats itself';
  if (bytes.every((byte) => byte >= 0x20 && byte < 0x7f)) return 'is a text and not random';
  return undefined;
}

/**
 * The master key of an installation that was given none: HKDF-SHA-256 (RFC 5869) of the secret that signs its tokens. Its
 * id tells one secret from another.
 */
export function deriveMasterKey(secretKey: string): MasterKey {
  const bytes = Buffer.from(hkdfSync('sha256', secretKey, '', 'riskgraph.master-key', keyBytes));
  return { id: `${derivedPrefix}${fingerprint(bytes)}`, key: createSecretKey(bytes) };
}

const derivedPrefix = 'secret-key-';

/** Whether a master key was derived from a SECRET_KEY. */
export const isDerived = (id: string): boolean => id.startsWith(derivedPrefix);

/** 32 bits: enough to tell keys apart, far too few to find one by. */
function fingerprint(bytes: Buffer): string {
  return createHash('sha256').update('riskgraph.fingerprint\0').update(bytes).digest('hex').slice(0, 8);
}
