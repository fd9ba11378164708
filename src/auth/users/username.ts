/** Lower case, so that no two users differ in case alone; no colon, which API keys have in their names. */
const pattern = /^[a-z0-9][a-z0-9._@+-]{1,63}$/;

export const usernameRule = 'must have 2 to 64 characters: letters, digits and . _ @ + -, with a letter or digit first';

export const isUsername = (name: string): boolean => pattern.test(name);

/** The name as it is stored and compared. */
export const normalizeUsername = (name: string): string => name.trim().toLowerCase();
