import { open } from 'node:fs/promises';

/** Makes the names of new files of a directory durable. */
export async function flushDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  await directory.sync().finally(() => directory.close());
}
