import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isArchive, type ReadArchive } from './audit-archive.js';
import type { ChainEnd } from './audit-chain.js';

/**
 * Lists archives by the names of files and folders. A folder stands for all archives in it.
 * @throws a system error for a name that does not exist
 */
export async function listArchives(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    if (!(await stat(path)).isDirectory()) found.push(path);
    else
      found.push(
        ...(await readdir(path))
          .filter(isArchive)
          .sort()
          .map((name) => join(path, name)),
      );
  }
  return found;
}

/**
 * Follows the archives of an organization from a place back to the start of its chain.
 * @returns the place at which no archive ends; undefined when the chain is whole
 */
export function firstGap(archives: readonly ReadArchive[], slug: string, place: ChainEnd): ChainEnd | undefined {
  let at = place;
  while (at.sequence > 0) {
    const before = archives.find(
      (archive) => archive.slug === slug && archive.end.sequence === at.sequence && archive.end.hash === at.hash,
    );
    if (!before) return at;
    at = before.after;
  }
  return undefined;
}
