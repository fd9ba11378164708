import { escapeInvisible } from '../process/visible-text.js';

/*
 * Output of the commands. A text may come from another party: a username from an identity provider, a message from a
 * server, a cell from a file. It could move the cursor, hide a line, or forge one.
 */

/** Prints one line to standard output. Line breaks, terminal escapes and characters that cannot be seen are escaped. */
export const printLine = (line: string): void => void process.stdout.write(`${escapeInvisible(line)}\n`);

/** Prints one line to standard error, as `printLine` does. */
export const printErrorLine = (line: string): void => void process.stderr.write(`${escapeInvisible(line)}\n`);
