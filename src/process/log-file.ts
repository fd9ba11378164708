import { openSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
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
 * is preceded by their number. Lines that wait are written when the process exits, unless the disk takes none.
 * @param announce makes the line that tells how many lines were dropped
 * @throws StartupError when the file cannot be written
 */
export function openLogFile(path: string, announce: (dropped: number) => string): LogFile {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'a', 0o640);
  } catch (error) {
    throw notWritable(path, error);
  }
  let dropped = 0;
  // With a path, pino would open it in the background, and a process that exits before could not write its lines.
  const file = pino.destination({
    dest: descriptor,
    append: true,
    sync: false,
    mode: 0o640,
    maxLength: mostWaitingBytes,
  });
  // The path is what `reopen` opens.
  Object.assign(file, { file: path });
  file.on('drop', () => (dropped += 1));
  // A full disk is no reason to end a process. Lines wait, and the next one tries again.
  let fails = false;
  file.on('error', () => (fails = true));
  file.on('write', () => (fails = false));
  // pino writes the lines that wait when the process exits, and would go on without end on a full disk.
  const flush = file.flushSync.bind(file);
  file.flushSync = () => {
    if (!fails && hasRoom(path)) flush();
  };
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

/** Tells whether the disk has room for the lines that wait. A disk that cannot be asked counts as one with room. */
function hasRoom(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize >= mostWaitingBytes;
  } catch {
    return true;
  }
}

/** The error for a log file that cannot be written. */
export const notWritable = (path: string, error: unknown): StartupError =>
  new StartupError(
    `LOG_FILE ${path} cannot be written (${(error as NodeJS.ErrnoException).code}): make its folder, and let the user ` +
      'of this process write there.',
  );
