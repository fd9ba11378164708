import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmdirSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { StartupError } from '../errors.js';
import { describeExit, exitOf, lastOutput, terminate } from './child-exit.js';
import type { Engine } from './engine.js';
import { nativeLibraryPath, type Platform } from './glibc-compatibility.js';
import { stableSocketName, type HostReport } from './mongo-host-report.js';
import { startMongod } from './mongod.js';
import { findOnPath } from './path-search.js';
import { socketDirectory } from './socket-directory.js';
import { spawnEntry } from './spawn-entry.js';

/**
 * Starts MongoDB on the data of `dataDirectory`. This is the embedded engine in a child process. When the engine has no
 * build for this machine, it is the `mongod` found on the PATH. It listens on a Unix socket that only this user can
 * reach.
 *
 * @param dataDirectory an existing directory; the database lies in `mongodb/` below it (`mongod/` for mongod's)
 * @param options.platform where to run; default: this machine
 * @param options.searchPath where to look for mongod, as in PATH; default: this process's PATH
 * @throws StartupError when neither can run here, or the database cannot be opened
 */
export async function startMongo(
  dataDirectory: string,
  options: { platform?: Platform; searchPath?: string } = {},
): Promise<Engine> {
  const caches = [join(homedir(), '.cache', 'riskgraph'), join(dataDirectory, 'cache')];
  let library: string | undefined;
  try {
    library = await nativeLibraryPath(caches, options.platform);
  } catch (error) {
    const mongod = error instanceof StartupError ? findOnPath('mongod', options.searchPath) : undefined;
    if (!mongod) throw error;
    return startMongod(mongod, dataDirectory);
  }
  return startHost(dataDirectory, library);
}

async function startHost(dataDirectory: string, library: string | undefined): Promise<Engine> {
  const databaseDirectory = join(dataDirectory, 'mongodb');
  await mkdir(databaseDirectory, { recursive: true, mode: 0o700 });
  const sockets = socketDirectory(dataDirectory);
  const host = spawnEntry(new URL('./mongo-host.js', import.meta.url), {
    args: library ? [databaseDirectory, sockets, library] : [databaseDirectory, sockets],
    stdio: { stdout: 'pipe', stderr: 'pipe' },
  });
  const exited = exitOf(host);
  const output = lastOutput(host);
  const report = await Promise.race([firstReport(host), exited]);
  if (!('state' in report) || report.state === 'failed') {
    const exit = await exited;
    removeWhenEmpty(sockets);
    const reason =
      'state' in report ? report.reason : `it ${describeExit(exit)} ${output().split('\n').at(-1) ?? ''}`.trim();
    throw new StartupError(
      `the embedded MongoDB cannot open ${databaseDirectory}: ${reason}; free or repair the directory, or set ` +
        'MONGO_URI to another MongoDB',
    );
  }
  return {
    url: `mongodb://${encodeURIComponent(join(sockets, stableSocketName))}/riskgraph?directConnection=true`,
    pid: host.pid!,
    exited,
    stop: async () => {
      await terminate(host, exited);
      rmSync(sockets, { recursive: true, force: true });
    },
  };
}

function removeWhenEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // It holds the socket of a host that has the database open.
  }
}

async function firstReport(host: ChildProcess): Promise<HostReport> {
  const [message] = (await once(host, 'message')) as [HostReport];
  return message;
}
