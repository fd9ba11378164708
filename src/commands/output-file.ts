import { unlinkSync } from 'node:fs';
import { constants, open, stat, type FileHandle } from 'node:fs/promises';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { StartupError } from '../errors.js';

/** The file that a command writes its result to, or standard output. */
export interface OutputFile {
  /** Its name in messages. */
  readonly name: string;
  readonly isStandardOutput: boolean;
  /** Adds text. The first call empties a file that was there before. */
  write(text: string): Promise<void>;
  /** Ends a complete result. */
  close(): Promise<void>;
  /** Ends without a result. Removes the file, if this command has made it and has written nothing to it. */
  discard(): void;
}

/**
 * Opens a file that only its owner may read, also when another file was there before. Its content stays until the first
 * text is written, so that a command which fails early leaves an earlier result as it was.
 * @param path `-` is standard output
 * @throws a system error (see `failureLine`); StartupError for the file that is also read, and for a missing folder
 */
export async function openOutputFile(path: string, input?: string): Promise<OutputFile> {
  if (path === '-') return standardOutput;
  await refuseSameFile(path, input);
  const isNew = await stat(path).then(
    () => false,
    () => true,
  );
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o600).catch(explainFolder(path));
  let written = false;
  try {
    // The mode above counts for new files only. A device or a pipe keeps its own.
    if ((await file.stat()).isFile()) await file.chmod(0o600);
  } catch (error) {
    await file.close();
    throw error;
  }
  return {
    name: path,
    isStandardOutput: false,
    async write(text) {
      if (!written) await empty(file);
      written = true;
      await file.writeFile(text);
    },
    close: () => file.close(),
    discard() {
      if (!written && isNew) unlinkSync(path);
    },
  };
}

/** A file that is opened for writing is made, so what does not exist is its folder, or the end of a link. */
const explainFolder =
  (path: string) =>
  (error: NodeJS.ErrnoException): never => {
    if (error.code !== 'ENOENT') throw error;
    throw new StartupError(`--out: the folder ${dirname(path)} does not exist: make it, or name a file elsewhere.`);
  };

async function empty(file: FileHandle): Promise<void> {
  if ((await file.stat()).isFile()) await file.truncate(0);
}

async function refuseSameFile(path: string, input: string | undefined): Promise<void> {
  if (input === undefined || input === '-') return;
  const [target, source] = await Promise.all([path, input].map((name) => stat(name).catch(() => undefined)));
  if (target && source && target.isFile() && target.dev === source.dev && target.ino === source.ino)
    throw new StartupError(`--out: ${path} is the file that is read: name another one.`);
}

const standardOutput: OutputFile = {
  name: 'standard output',
  isStandardOutput: true,
  async write(text) {
    if (!process.stdout.write(text)) await once(process.stdout, 'drain');
  },
  close: async () => undefined,
  discard: () => undefined,
};
