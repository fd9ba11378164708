import { hash, parseOptions, verify } from '@node-rs/argon2';
import { randomBytes } from 'node:crypto';
import { createHashingGate } from './hashing-gate.js';

/**
 * Parameters of new password hashes: argon2id (RFC 9106) with 46 MiB and two passes. This is twice the minimum of OWASP
 * (46 MiB and one pass, or 19 MiB and two). Raise the cost here: hashes with other parameters are replaced at the next
 * login.
 * https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
 */
export const argon2Parameters = {
  /** Argon2id as a number: the package's `const enum` cannot be imported when each file is compiled alone. */
  algorithm: 2,
  /** KiB */
  memoryCost: 47_104,
  timeCost: 2,
  parallelism: 1,
  /** bytes */
  outputLen: 32,
} as const;

/** The queue of all organizations that do not exist. No organization has an empty id. */
const unknownOrganization = '';

/** Hashes and verifies passwords. */
export interface Passwords {
  /**
   * @param organization waits in the queue of this organization (hashing-gate.ts)
   * @returns the hash in PHC format, with its salt and parameters
   */
  hash(password: string, organization: string): Promise<string>;
  /**
   * Tells whether a password matches. It always costs one verification: without a hash, it checks against a hash
   * that no password has. So the time does not tell whether a user exists.
   * @param organization waits in the queue of this organization; undefined when there is no such organization
   */
  verify(passwordHash: string | undefined, password: string, organization: string | undefined): Promise<boolean>;
  /** Tells whether a hash was made with parameters other than `argon2Parameters`. */
  isOutdated(passwordHash: string): boolean;
  /** Number of verifications since the start of the process. */
  readonly verifications: number;
}

/**
 * Makes a hash in PHC format that no password has: its bytes are random. To verify against it costs as much as against
 * any other. It is made without hashing, which takes 0.1 s and 46 MiB.
 * https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md
 */
export function unmatchedHash(): string {
  const { memoryCost, timeCost, parallelism, outputLen } = argon2Parameters;
  const random = (bytes: number): string => randomBytes(bytes).toString('base64').replaceAll('=', '');
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${random(16)}$${random(outputLen)}`;
}

export function createPasswords(): Passwords {
  const gate = createHashingGate();
  const hashPassword = (password: string, organization: string): Promise<string> =>
    gate.run(organization, () => hash(normalize(password), argon2Parameters));
  const nobodysHash = unmatchedHash();
  let verifications = 0;
  return {
    hash: hashPassword,
    async verify(passwordHash, password, organization = unknownOrganization) {
      const matches = await gate.run(organization, () => {
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

/** Unicode form NFKC: two keyboards may send different code points for one password (NIST SP 800-63B, 5.1.1.2). */
const normalize = (password: string): string => password.normalize('NFKC');
