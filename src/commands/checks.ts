import { failureLine } from './failure.js';
import { printLine } from './print.js';

/** One line of a list of checks. */
export interface Check {
  readonly name: string;
  /** @returns what was seen; throws when the check fails, and NotCheckedError when it cannot be made */
  run(): Promise<string>;
}

/** Thrown by a check that cannot be made here. Its line says why, and the list does not fail. */
export class NotCheckedError extends Error {
  override readonly name = 'NotCheckedError';
}

/** Makes a check that is not made. */
export const notChecked = (name: string, why: string): Check => ({
  name,
  run: () => Promise.reject(new NotCheckedError(why)),
});

/** Runs checks one after the other, and prints a line for each. The exit code is 1 when one fails. */
export async function runChecks(checks: readonly Check[]): Promise<void> {
  for (const { name, run } of checks) {
    const [mark, detail] = await run().then(
      (seen) => ['ok  ', seen] as const,
      (error: unknown) =>
        error instanceof NotCheckedError
          ? (['--  ', `not checked: ${error.message}`] as const)
          : (['FAIL', failureLine(error)] as const),
    );
    if (mark === 'FAIL') process.exitCode = 1;
    printLine(`${mark} ${name}: ${detail}`);
  }
}
