import type { ChildProcess } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import type { LevelWithSilent, Logger } from 'pino';
import type { LogFile } from '../process/log-file.js';

/** The levels that SIGUSR2 goes through, after the configured one. */
const louderLevels: readonly LevelWithSilent[] = ['debug', 'trace'];

/**
 * Lets an operator work on the log of a process while it runs:
 * - SIGUSR1 opens `LOG_FILE` again, after logrotate has moved it. With a handler, Node.js does not start its debugger on
 *   that signal.
 * - SIGUSR2 logs more: `debug`, then `trace`, then the level of `LOG_LEVEL` again.
 */
export function followLogSignals(logger: Logger, file: LogFile | undefined): void {
  const levels = [logger.level, ...louderLevels.filter((level) => level !== logger.level)];
  let present = 0;
  process.on('SIGUSR1', () => {
    file?.reopen();
    logger.info('the log file was opened again');
  });
  process.on('SIGUSR2', () => {
    const before = levels[present]!;
    present = (present + 1) % levels.length;
    logger.level = levels[present]!;
    // A line of the lowest severity that both levels show would be missing in a quiet log.
    logger.warn({ before, now: logger.level }, 'the log level was changed by SIGUSR2');
  });
}

/** Most children of a process. */
const mostChildren = 256;

/** Passes these signals on to a child that has a log of its own, so that they can be sent to its parent. */
export function passLogSignals(child: ChildProcess, exited: Promise<unknown>): void {
  setMaxListeners(mostChildren, process);
  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) {
    const pass = (): void => void child.kill(signal);
    process.on(signal, pass);
    void exited.then(() => process.removeListener(signal, pass));
  }
}
