import { closeSync, openSync } from 'node:fs';
import { pino } from 'pino';
import { StartupError } from '../errors.js';

/** Most bytes of log lines that wait for the disk. */
const mostWaitingBytes = 1024 * 1024;

/** A file that takes log lines. */
export interface LogFile {
  readonly path: string;
  write(line: string): void;
  /**
   * Opens the path again, after logrotate has moved the file. Lines that wait are written to the new one. When the path
   * cannot be opened, lines still go to the file of before.
   */
  reopen(): void;
}

/**
 * Opens a log file. Lines are appended to it in the background, so nothing waits for the disk, and the file may be
 * shared by several processes or truncated. Lines are dropped while more than 1 MiB waits. The next line that is written
 * is preceded by their number. Lines that wait are written when the process exits.
 * @param announce makes the line that tells how many lines were dropped
 * @throws StartupError when the file cannot be written
 */
export function openLogFile(path: string, announce: (dropped: number) => string): LogFile {
  try {
    closeSync(openSync(path, 'a', 0o640));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new StartupError(
      `LOG_FILE ${path} cannot be written (${code}): make its folder, and let the user of this process write there.`,
    );
  }
  let dropped = 0;
  const file = pino.destination({ dest: path, append: true, sync: false, mode: 0o640, maxLength: mostWaitingBytes });
  file.on('drop', () => (dropped += 1));
  // A full disk is no reason to end a process. Lines wait, and the next one tries again.
  file.on('error', () => undefined);
  return {
    path,
    write(line) {
      const untold = dropped;
      if (untold > 0) {
        dropped = 0;
        file.write(announce(untold));
        // The announcement was dropped itself.
        if (dropped > 0) dropped = untold;
      }
      file.write(line);
    },
    reopen: () => file.reopen(),
  };
}
