/** Lower case, so that no two users differ in case alone; no colon, which API keys have in their names. */
const pattern = /^[a-z0-9][a-z0-9._@+-]{1,63}$/;

export const usernameRule = 'must have 2 to 64 characters: letters, digits and . _ @ + -, with a letter or digit first';

export const isUsername = (name: string): boolean => pattern.test(name);

/** Who the audit trail says did what was done on the command line. */
export const commandLineUsername = 'command-line';
/** Who it says tried to log in where no user of that name is: what was typed may be anything, a password too. */
export const unknownUsername = 'unknown';

/** Names that only we give: nobody may be called as the audit trail calls those who are no user, or as an API key is. */
export function isReservedUsername(name: string): boolean {
  const normalized = normalizeUsername(name);
  return normalized === commandLineUsername || normalized === unknownUsername || normalized.startsWith('api-key:');
}

export const reservedUsernameRule = 'is a name that the audit trail uses for what is no user: choose another one';

/** The name as it is stored and compared. */
export const normalizeUsername = (name: string): string => name.trim().toLowerCase();
