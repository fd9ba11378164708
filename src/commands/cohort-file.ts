import { open, type FileHandle } from 'node:fs/promises';
import { StartupError } from '../errors.js';
import { createSpool } from '../storage/spool.js';

/** The bytes of a cohort. They can be read more than once: first to check them, then to send them. */
export interface CohortFile {
  /** Its name in messages. */
  readonly name: string;
  read(): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Opens the file of a cohort. Standard input (`-`) and pipes can be read only once, so they are kept encrypted on disk.
 * @throws StartupError for a directory; a system error (see `failureLine`) for a file that cannot be opened
 */
export async function openCohortFile(path: string): Promise<CohortFile> {
  if (path === '-') return spooled('standard input', process.stdin);
  const file = await open(path, 'r');
  const stat = await file.stat();
  if (stat.isFile()) return { name: path, read: () => bytesOf(file), close: () => file.close() };
  try {
    if (stat.isDirectory()) throw new StartupError(`${path} is a directory: name a file.`);
    return await spooled(path, file.createReadStream({ autoClose: false }));
  } finally {
    await file.close();
  }
}

async function* bytesOf(file: FileHandle): AsyncGenerator<Buffer> {
  for await (const chunk of file.createReadStream({ start: 0, autoClose: false })) yield chunk as Buffer;
}

async function spooled(name: string, bytes: AsyncIterable<unknown>): Promise<CohortFile> {
  const spool = await createSpool();
  try {
    for await (const chunk of bytes) await spool.write(Buffer.from(chunk as Buffer));
  } catch (error) {
    await spool.close();
    throw error;
  }
  return { name, read: () => spool.read(), close: () => spool.close() };
}
