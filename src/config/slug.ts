const slugPattern = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;

export const isSlug = (text: string): boolean => slugPattern.test(text);

export const slugRule = '1 to 40 of a-z, 0-9 and inner hyphens';
