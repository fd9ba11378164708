import { readFileSync } from 'node:fs';

/**
 * Returns the largest number of files and sockets that this process may have open at the same time.
 * @returns Infinity where the system does not say it: it does on Linux only
 */
export function mostDescriptors(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === undefined ? Infinity : Number(soft);
  } catch {
    return Infinity;
  }
}
