import { hash, parseOptions, verify } from '@node-rs/argon2';
import { randomBytes } from 'node:crypto';
import { createHashingGate } from './hashing-gate.js';

/**
 * What every new password hash costs: argon2id (RFC 9106) with 46 MiB and two passes, twice the least that OWASP asks for
 * (46 MiB and one pass, or 19 MiB and two). Raise it here; hashes made with less are replaced at the next login.
 * https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
 */
export const argon2Parameters = {
  /** Argon2id; the package's enum cannot be imported by a module that is compiled alone. */
  algorithm: 2,
  /** KiB */
  memoryCost: 47_104,
  timeCost: 2,
  parallelism: 1,
  /** bytes */
  outputLen: 32,
} as const;

/** Hashes and verifies passwords. */
export interface Passwords {
  /** @returns the hash in PHC format, with its salt and parameters */
  hash(password: string): Promise<string>;
  /**
   * Always costs one verification: without a hash, the password is compared with one that nobody knows, so that an
   * absent user takes as long as a present one.
   */
  verify(passwordHash: string | undefined, password: string): Promise<boolean>;
  /** Whether the hash was made with other parameters than today's. */
  isOutdated(passwordHash: string): boolean;
  /** Verifications so far. */
  readonly verifications: number;
}

export async function createPasswords(): Promise<Passwords> {
  const gate = createHashingGate();
  const hashPassword = (password: string): Promise<string> =>
    gate.run(() => hash(normalize(password), argon2Parameters));
  const nobodysHash = await hashPassword(randomBytes(32).toString('base64url'));
  let verifications = 0;
  return {
    hash: hashPassword,
    async verify(passwordHash, password) {
      const matches = await gate.run(() => {
        verifications += 1;
        return verify(passwordHash ?? nobodysHash, normalize(password));
      });
      return matches && passwordHash !== undefined;
    },
    isOutdated(passwordHash) {
      const { algorithm, memoryCost, timeCost, parallelism, outputLen } = parseOptions(passwordHash);
      return Object.entries({ algorithm, memoryCost, timeCost, parallelism, outputLen }).some(
        ([name, value]) => argon2Parameters[name as keyof typeof argon2Parameters] !== value,
      );
    },
    get verifications() {
      return verifications;
    },
  };
}

/** The same password typed on another keyboard may come as other code points (NIST SP 800-63B, 5.1.1.2). */
const normalize = (password: string): string => password.normalize('NFKC');
