import { afterAll, onTestFinished, TestRunner } from 'vitest';

/**
 * Cleans up what the caller has just started, when the running test ends. Outside of tests it cleans up after the last
 * test of the file or block. Vitest silently ignores an `afterAll` that is called while a test runs.
 */
export function atEnd(clean: () => unknown): void {
  const hook = async (): Promise<void> => void (await clean());
  if (TestRunner.getCurrentTest()) onTestFinished(hook);
  else afterAll(hook);
}
