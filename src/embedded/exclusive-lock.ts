import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';

import { hasCode } from './thrown.js';

/** A lock on a directory. The operating system removes it when the process ends, even after kill -9. */
interface HeldLock {
  release(): Promise<void>;
}

/** Says that the directory is locked. `pid` is the holder's; undefined when the holder did not answer. */
interface LockedElsewhere {
  pid: number | undefined;
}

/**
 * Takes the lock of `directory`, or names its holder. At most one process of the machine has it at a time.
 *
 * Linux: an abstract Unix socket, which leaves no file behind (unix(7)). Its name is made of the directory's inode and
 * a secret kept in the directory. So it follows a moved directory, differs for a copied one, and no other user can take
 * it. Elsewhere (macOS): a file opened with O_EXLOCK (open(2)).
 */
export async function takeLock(directory: string): Promise<HeldLock | LockedElsewhere> {
  return process.platform === 'linux'
    ? takeSocketLock(await socketName(directory))
    : takeFileLock(join(directory, 'lock'));
}

/** The process id of the holder of the lock of `directory`; undefined when it is free. */
export async function lockHolder(directory: string): Promise<number | undefined> {
  if (process.platform === 'linux') return askHolder(await socketName(directory));
  const lock = await takeFileLock(join(directory, 'lock'));
  if (!('release' in lock)) return lock.pid;
  await lock.release();
  return undefined;
}

function takeSocketLock(name: string): Promise<HeldLock | LockedElsewhere> {
  return new Promise((resolve, reject) => {
    // The answer to each connection is our process id.
    const server = createServer((connection) => connection.on('error', () => undefined).end(String(process.pid)));
    server.once('error', (error) => {
      if (hasCode(error, 'EADDRINUSE')) askHolder(name).then((pid) => resolve({ pid }), reject);
      else reject(error);
    });
    server.listen({ path: name }, () => {
      server.unref();
      resolve({ release: () => new Promise((released) => server.close(() => released())) });
    });
  });
}

function askHolder(name: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    let answer = '';
    const connection = createConnection({ path: name });
    connection.setTimeout(2_000, () => connection.destroy());
    connection.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    connection.on('error', () => undefined);
    connection.on('close', () => resolve(/^\d+$/.test(answer) ? Number(answer) : undefined));
  });
}

async function socketName(directory: string): Promise<string> {
  const [{ dev, ino }, secret] = await Promise.all([
    stat(directory, { bigint: true }),
    sharedSecret(join(directory, 'lock-secret')),
  ]);
  return `\0riskgraph-${createHash('sha256').update(`${dev}:${ino}:${secret}`).digest('hex')}`;
}

/** Reads the secret in the file. When the file is missing, makes it first. The first process to make it wins. */
async function sharedSecret(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
  const draft = `${path}.${process.pid}-${randomBytes(8).toString('hex')}`;
  await writeFile(draft, randomBytes(32).toString('hex'), { mode: 0o600 });
  try {
    await link(draft, path);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return readFile(path, 'utf8');
}

/** <sys/fcntl.h> of macOS and the BSDs: O_EXLOCK. Node passes unknown flags on unchanged. */
const exclusive = 0x20;

async function takeFileLock(path: string): Promise<HeldLock | LockedElsewhere> {
  try {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK | exclusive, 0o600);
    await file.truncate();
    await file.write(String(process.pid));
    return { release: () => file.close() };
  } catch (error) {
    if (!hasCode(error, 'EAGAIN', 'EWOULDBLOCK')) throw error;
    return { pid: Number(await readFile(path, 'utf8').catch(() => '')) || undefined };
  }
}
