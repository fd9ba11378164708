/**
 * A key for one submission, random enough that no two submissions of a user share it. A page without HTTPS has no
 * `crypto.randomUUID`.
 */
export const newKey = (): string =>
  [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(16)).join('-');
