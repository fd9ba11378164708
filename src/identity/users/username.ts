/**
 * Usernames are in lower case, so that two never differ in case alone. They have no colon: names of API keys have one.
 */
const pattern = /^[a-z0-9][a-z0-9._@+-]{1,63}$/;

export const usernameRule = 'must have 2 to 64 characters: letters, digits and . _ @ + -, with a letter or digit first';

export const isUsername = (name: string): boolean => pattern.test(name);

/** Name that the audit trail gives to an operator on the command line. */
export const commandLineUsername = 'command-line';
/** Name that the audit trail gives to a worker, for what no caller has asked for. */
export const workerUsername = 'worker';
/** Name that the audit trail gives to a login with an unknown username: the typed text may be a password by mistake. */
export const unknownUsername = 'unknown';

const reservedUsernames: ReadonlySet<string> = new Set([commandLineUsername, workerUsername, unknownUsername]);

/**
 * Tells whether a name is reserved: the audit trail uses it for the command line, a worker, an unknown user or an API
 * key.
 */
export function isReservedUsername(name: string): boolean {
  const normalized = normalizeUsername(name);
  return reservedUsernames.has(normalized) || normalized.startsWith('api-key:');
}

export const reservedUsernameRule = 'is reserved for entries of the audit trail: choose another name';

/**
 * The name in the form that is stored and compared, so that one user has one spelling: NFKC, in lower case. Lower case
 * may break the normal form, so it is made again.
 */
export const normalizeUsername = (name: string): string =>
  name.normalize('NFKC').trim().toLowerCase().normalize('NFKC');
