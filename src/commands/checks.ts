import { failureLine } from './failure.js';
import { printLine } from './print.js';

/** One line of a list of checks. */
export interface Check {
  readonly name: string;
  /** @returns what was seen; throws when the check fails */
  run(): Promise<string>;
}

/** Runs checks one after the other, and prints a line for each. The exit code is 1 when one fails. */
export async function runChecks(checks: readonly Check[]): Promise<void> {
  for (const { name, run } of checks) {
    const [mark, detail] = await run().then(
      (seen) => ['ok  ', seen] as const,
      (error: unknown) => ['FAIL', failureLine(error)] as const,
    );
    if (mark === 'FAIL') process.exitCode = 1;
    printLine(`${mark} ${name}: ${detail}`);
  }
}
