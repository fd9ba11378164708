import { failureLine } from './failure.js';
import { printLine } from './print.js';

/** One line of a list of checks. */
export interface Check {
  readonly name: string;
  /**
   * @returns what was seen
   * @throws when the check fails; WarningError for what is worth a look; NotCheckedError when it cannot be made
   */
  run(): Promise<string>;
}

/** Thrown by a check that cannot be made here. Its line says why, and the list does not fail. */
export class NotCheckedError extends Error {
  override readonly name = 'NotCheckedError';
}

/** Thrown by a check that found what is most likely a mistake, and stops nothing. The list does not fail. */
export class WarningError extends Error {
  override readonly name = 'WarningError';
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
          : error instanceof WarningError
            ? (['warn', error.message] as const)
            : (['FAIL', failureLine(error)] as const),
    );
    if (mark === 'FAIL') process.exitCode = 1;
    printLine(`${mark} ${name}: ${detail}`);
  }
}
