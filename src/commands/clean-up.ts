import { failureLine } from './failure.js';
import { printErrorLine } from './print.js';

/** Exit codes of a command that a signal has ended: 128 and the number of the signal. */
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Runs work, and cleans up after it: at its end, after its failure, and before a signal ends the process. It cleans up
 * once. A second signal ends the process at once.
 * @throws the error of the work, else that of the clean-up
 */
export async function cleaningUp<T>(work: () => Promise<T>, cleanUp: () => Promise<void>): Promise<T> {
  let cleaning: Promise<void> | undefined;
  const clean = (): Promise<void> => (cleaning ??= cleanUp());
  const handlers = Object.entries(exitCodes).map(([signal, code]) => {
    const end = (): void => {
      if (cleaning) process.exit(code);
      printErrorLine('Interrupted: it removes what it has made, and ends. A second signal ends it at once.');
      clean()
        .catch((error: unknown) => printErrorLine(failureLine(error)))
        .finally(() => process.exit(code));
    };
    process.on(signal, end);
    return [signal, end] as const;
  });
  try {
    return await work().finally(clean);
  } finally {
    for (const [signal, end] of handlers) process.removeListener(signal, end);
  }
}
