import { printErrorLine } from './print.js';

/** What a command says when Ctrl-C ends it. */
export interface Interruption {
  /** Replaces the message. */
  say(message: string): void;
  /** Adds work that must be done before the end. It is synchronous, because the process ends with it. */
  before(work: () => void): void;
  /** Ends the watch. Ctrl-C then ends the process as usual. */
  stop(): void;
}

/** Exit code of a command that SIGINT has ended: 128 and the number of the signal. */
const interruptedCode = 130;

/** Watches for Ctrl-C while a command works. */
export function onInterruption(message: string): Interruption {
  let said = message;
  const works: (() => void)[] = [];
  const end = (): void => {
    works.forEach((work) => work());
    // A progress bar may have hidden the cursor, and its line is not finished.
    if (process.stderr.isTTY) process.stderr.write('\u001b[?25h\n');
    printErrorLine(`Interrupted: ${said}`);
    process.exit(interruptedCode);
  };
  process.once('SIGINT', end);
  return {
    say: (next) => (said = next),
    before: (work) => works.push(work),
    stop: () => process.removeListener('SIGINT', end),
  };
}
