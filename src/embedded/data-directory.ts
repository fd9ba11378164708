import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { StartupError } from '../errors.js';
import { lockHolder, takeLock } from './exclusive-lock.js';
import { writePrivateFile } from './private-file.js';
import { hasCode, reasonOf } from './thrown.js';

/** Addresses of the running `up` of a data directory. They hold the engines' passwords: never print them. */
interface Runtime {
  /** The process id of `up`. */
  pid: number;
  mongoUri: string;
  redisUrl: string;
  /** The port of the API on this machine. */
  port: number;
}

/** A data directory that only this process may use. */
interface DataDirectory {
  /** The absolute path, with links resolved. */
  readonly path: string;
  /** Releases the directory: removes `runtime.json`, then the lock. */
  close(): Promise<void>;
}

const runtimeFile = 'runtime.json';

/**
 * Makes the directory when it is missing (mode 0700), checks that it can be written, and takes its lock.
 * The lock ends with this process, even after kill -9.
 *
 * @throws StartupError when it cannot be written, or another process holds its lock
 */
export async function openDataDirectory(directory: string): Promise<DataDirectory> {
  const path = await writableDirectory(resolve(directory));
  const lock = await takeLock(path);
  if (!('release' in lock)) {
    const holder = lock.pid === undefined ? 'another process' : `the process ${lock.pid}`;
    throw new StartupError(
      `the data directory ${path} is in use by ${holder}: wait until it is up, or stop it, or name another directory in ` +
        'DATA_DIRECTORY',
    );
  }
  // A killed process leaves its runtime.json behind.
  await rm(join(path, runtimeFile), { force: true });
  return {
    path,
    close: async () => {
      await rm(join(path, runtimeFile), { force: true });
      await lock.release();
    },
  };
}

/** Writes the addresses for other commands on this machine: `token`, `seed` and `score` read them. Mode 0600. */
export async function writeRuntime(dataDirectory: string, runtime: Runtime): Promise<void> {
  await writePrivateFile(join(dataDirectory, runtimeFile), JSON.stringify(runtime));
}

/** Reads the addresses of the running `up` of `dataDirectory`; undefined when none runs or none are written yet. */
export async function readRuntime(dataDirectory: string): Promise<Runtime | undefined> {
  try {
    const runtime = JSON.parse(await readFile(join(dataDirectory, runtimeFile), 'utf8')) as Runtime;
    return (await lockHolder(dataDirectory)) === runtime.pid ? runtime : undefined;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Tells whether a data directory holds the data of a MongoDB. */
export const holdsDatabase = (dataDirectory: string): boolean =>
  ['mongodb', 'mongod'].some((name) => existsSync(join(dataDirectory, name)));

async function writableDirectory(path: string): Promise<string> {
  const probe = join(path, `.probe-${randomUUID()}`);
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await chmod(path, 0o700);
    await writeFile(probe, '');
    await rm(probe);
    return await realpath(path);
  } catch (error) {
    throw new StartupError(
      `the data directory ${path} cannot be written (${reasonOf(error)}): give this user the right to write, or name ` +
        'another directory in DATA_DIRECTORY',
    );
  }
}
