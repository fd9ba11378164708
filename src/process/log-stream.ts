import type { Writable } from 'node:stream';

/** Most bytes of log lines that wait for a reader. */
const mostWaitingBytes = 1024 * 1024;

/** A stream of a process that takes log lines. */
type LogReader = Pick<Writable, 'write' | 'writableLength' | 'on' | 'listeners'>;

/** A reader that is gone makes an error for each line. Log lines are no reason to end a process. */
const ignore = (): void => undefined;

/**
 * Writes log lines to a stream of the process, and never waits for its reader. A pipe that is not read would stop the
 * whole process. Lines are dropped while more than 1 MiB waits, and the next line that is written is preceded by their
 * number.
 * @param announce makes the line that tells how many lines were dropped
 */
export function createLogStream(
  stream: LogReader,
  announce: (dropped: number) => string,
): { write(line: string): void } {
  if (!stream.listeners('error').includes(ignore)) stream.on('error', ignore);
  let dropped = 0;
  return {
    write(line) {
      if (stream.writableLength > mostWaitingBytes) {
        dropped += 1;
        return;
      }
      if (dropped > 0) stream.write(announce(dropped));
      dropped = 0;
      stream.write(line);
    },
  };
}
