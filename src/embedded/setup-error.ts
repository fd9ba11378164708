/**
 * Something on this machine keeps the engines from starting, and a person can put it right.
 * `message` is one line: what, why, and the remedy. Print it as it is and exit 1; a stack trace adds nothing.
 */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}

/** The text of anything thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether `error` is an operating-system error with one of these codes, e.g. `ENOENT`. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
