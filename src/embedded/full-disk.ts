import { statfs } from 'node:fs/promises';

/** Room below which a database cannot work, bytes. MongoDB aborts without room for its journal. */
const leastBytes = 16 * 1024 * 1024;

/** Free bytes of the disk of a directory; infinite when they are not known. */
async function freeBytes(directory: string): Promise<number> {
  const disk = await statfs(directory).catch(() => undefined);
  return disk ? disk.bavail * disk.bsize : Infinity;
}

/** Tells whether the disk of a directory has no room for a database. */
export const hasFullDisk = async (directory: string): Promise<boolean> => (await freeBytes(directory)) < leastBytes;

/**
 * Adds to the reason of an engine's end that its disk is full. MongoDB ends with SIGABRT then, which tells nothing.
 * @param directory the data directory
 */
export async function withFullDisk(reason: string, directory: string, least = leastBytes): Promise<string> {
  const free = await freeBytes(directory);
  if (free >= least) return reason;
  return `${reason}, because the disk of ${directory} is full (${Math.floor(free / 1024)} KiB left): make room there`;
}
