const slugPattern = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;

export const isSlug = (text: string): boolean => slugPattern.test(text);

/** The slugs of the organizations of `riskgraph verify`, which it removes. No other organization may have such a one. */
export const trialSlug = /^verify-[0-9a-f]{12}$/;

export const slugRule = '1 to 40 of a-z, 0-9 and inner hyphens';
