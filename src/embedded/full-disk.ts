import { statfs } from 'node:fs/promises';

/** Room below which a database cannot work, bytes. MongoDB aborts without room for its journal. */
const leastBytes = 16 * 1024 * 1024;

/**
 * Adds to the reason of an engine's end that its disk is full. MongoDB ends with SIGABRT then, which tells nothing.
 * @param directory the data directory
 */
export async function withFullDisk(reason: string, directory: string, least = leastBytes): Promise<string> {
  const disk = await statfs(directory).catch(() => undefined);
  if (!disk) return reason;
  const free = disk.bavail * disk.bsize;
  if (free >= least) return reason;
  return `${reason}, because the disk of ${directory} is full (${Math.floor(free / 1024)} KiB left): make room there`;
}
