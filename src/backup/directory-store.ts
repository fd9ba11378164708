import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { StartupError } from '../errors.js';
import type { FileStore } from './file-store.js';
import { flushDirectory } from '../storage/flush-directory.js';

/** Ending of a file that is not complete. */
const partialEnding = '.partial';

/** Opens a new file for writing. */
type OpenFile = (path: string) => Promise<FileHandle>;

const openNew: OpenFile = (path) => open(path, 'wx', 0o600);

/**
 * Keeps files in a directory, which is made when it is missing. Only this user can read them. A file gets its name when
 * it is complete and on the disk.
 * @param openFile opens a new file. @defaultValue open(2) with mode 0600
 */
export function createDirectoryStore(directory: string, openFile = openNew): FileStore {
  const root = resolve(directory);
  const pathOf = (name: string): string => join(root, name);

  /** A full disk has no path in its error, and is not that of MongoDB. */
  const named = (error: unknown, path: string): unknown =>
    error instanceof Error && 'syscall' in error && !('path' in error) ? Object.assign(error, { path }) : error;

  return {
    place: root,

    isThere: () =>
      stat(root).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return false;
          throw error;
        },
      ),

    async put(name, content) {
      // It may fail before it is read. The loop that reads it throws the error all the same.
      content.on('error', () => undefined);
      try {
        await mkdir(root, { recursive: true, mode: 0o700 });
        const partial = pathOf(name) + partialEnding;
        await rm(partial, { force: true });
        const file = await openFile(partial);
        try {
          await writeAll(file, content, (error) => named(error, partial));
          await rename(partial, pathOf(name));
          await flushDirectory(root);
        } catch (error) {
          await rm(partial, { force: true });
          throw error;
        }
      } finally {
        content.destroy();
      }
    },

    async get(name) {
      const file = await open(pathOf(name), 'r').catch((error: NodeJS.ErrnoException) => {
        throw error.code === 'ENOENT' ? missing(name, root) : error;
      });
      return createReadStream('', { fd: file });
    },

    async list() {
      const names = await readdir(root).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return [];
        throw error;
      });
      const found = names.filter((name) => !name.endsWith(partialEnding)).sort();
      return Promise.all(found.map(async (name) => ({ name, storedAt: (await stat(pathOf(name))).mtime })));
    },

    remove: (name) => rm(pathOf(name), { force: true }),

    async removeAbandoned(before) {
      for (const name of await readdir(root).catch(() => [])) {
        if (!name.endsWith(partialEnding)) continue;
        const found = await stat(pathOf(name)).catch(() => undefined);
        if (found && found.mtime < before) await rm(pathOf(name), { force: true });
      }
    },
  };
}

async function writeAll(file: FileHandle, content: Readable, named: (error: unknown) => unknown): Promise<void> {
  const own = async <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw named(error);
    });
  try {
    for await (const piece of content as AsyncIterable<Uint8Array>) await own(file.writeFile(piece));
    await own(file.sync());
  } finally {
    await file.close();
  }
}

/** The error for a name that is not there. */
export const missing = (name: string, place: string): StartupError =>
  new StartupError(`There is no backup ${name} in ${place}: "riskgraph backup list" names those that are there.`);
