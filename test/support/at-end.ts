import { afterAll, onTestFinished, TestRunner } from 'vitest';

/**
 * Cleans up what the caller has just started: when the running test ends or, outside of tests, after the last test of the
 * file or block. Vitest forgets an `afterAll` that is called while a test runs, without a word.
 */
export function atEnd(clean: () => unknown): void {
  const hook = async (): Promise<void> => void (await clean());
  if (TestRunner.getCurrentTest()) onTestFinished(hook);
  else afterAll(hook);
}
