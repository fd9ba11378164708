/** See redundant-names.mjs. */
export function dropRedundantNames(text: string): string;
