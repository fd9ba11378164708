import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Finds the first executable file called `program` in `searchPath`; undefined when there is none.
 *
 * @param searchPath directories joined as in PATH; default: this process's PATH
 */
export function findOnPath(program: string, searchPath = processPath()): string | undefined {
  return searchPath
    .split(delimiter)
    .filter(Boolean)
    .map((directory) => join(directory, program))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function processPath(): string {
  // eslint-disable-next-line no-restricted-properties -- a variable of the operating system, not a setting of ours
  return process.env.PATH ?? '';
}
