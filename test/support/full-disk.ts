import { execFileSync } from 'node:child_process';
import { childrenOf } from './process-group.js';

/*
 * A full disk without the rights of root: a limit on the size of files (setrlimit, RLIMIT_FSIZE), set from outside on a
 * running process. A write behind the limit fails with EFBIG, in the place where a full disk fails with ENOSPC. Children
 * inherit the limit, so an engine that is started again finds no room either.
 * https://man7.org/linux/man-pages/man2/setrlimit.2.html
 */

/** The children of a process, and their children. */
const descendants = (pid: number): number[] => childrenOf(pid).flatMap((child) => [child, ...descendants(child)]);

function limitFiles(pid: number, bytes: string): void {
  for (const each of [pid, ...descendants(pid)]) {
    try {
      execFileSync('prlimit', ['--pid', String(each), `--fsize=${bytes}:`], { stdio: 'pipe' });
    } catch (error) {
      // It has ended meanwhile.
      if (!String((error as { stderr?: Buffer }).stderr).includes('No such process')) throw error;
    }
  }
}

/** From now on a process and its descendants find no room on any disk. */
export const fillDisk = (pid: number): void => limitFiles(pid, '1');

/** Makes room again. */
export const makeRoom = (pid: number): void => limitFiles(pid, 'unlimited');
