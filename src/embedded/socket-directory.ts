import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';

import { StartupError } from '../errors.js';
import { hasCode } from './thrown.js';

/** The shortest limit on a Unix socket's path among our platforms (macOS: 104 bytes with the closing zero). */
const pathLimit = 103;
/**
 * The length of the longest path that the engine and we put below the directory:
 * `/embedded-mongodb-XXXXXX/mongodb.sock`.
 */
const roomBelow = 37;
/** The prefix of the engine's own directories, one per start. */
const enginePrefix = 'embedded-mongodb-';

/**
 * Makes the directory for the sockets of the engines of `dataDirectory`. Its path is short for any data directory,
 * private to this user, and the same at every start.
 *
 * @throws StartupError when another user holds a directory of that name
 */
export function socketDirectory(dataDirectory: string): string {
  const { uid } = userInfo();
  const name = `rg-${createHash('sha256')
    .update(`${uid}:${realpathSync(dataDirectory)}`)
    .digest('hex')
    .slice(0, 12)}`;
  const temporary = join(tmpdir(), name);
  const directory = Buffer.byteLength(temporary) + roomBelow <= pathLimit ? temporary : join('/tmp', name);
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  const found = lstatSync(directory);
  if (!found.isDirectory() || found.uid !== uid) {
    throw new StartupError(
      `${directory} belongs to another user, but the database's socket must lie there: remove it, or set TMPDIR to ` +
        'your own directory',
    );
  }
  chmodSync(directory, 0o700);
  return directory;
}

/**
 * Removes the directories that killed engines left in `directory`. The one of `current`, the running engine's socket,
 * stays. Call it only from the process that holds the database's lock.
 */
export function removeStaleSockets(directory: string, current: string): void {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (name.startsWith(enginePrefix) && path !== dirname(current)) rmSync(path, { recursive: true, force: true });
  }
}
