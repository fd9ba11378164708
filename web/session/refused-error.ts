import type { ResponseError } from '../../src/client/errors.js';

/** An answer with errors, in the API's own words. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  constructor(readonly errors: readonly ResponseError[]) {
    super(errors.map(({ message }) => message).join(' '));
  }
}
