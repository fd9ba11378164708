import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { StartupError } from '../errors.js';
import { describeExit, exitOf, lastOutput, terminate, type ChildExit } from './child-exit.js';
import type { Engine } from './engine.js';
import { endWithThisProcess } from './guard.js';
import { stableSocketName } from './mongo-host-report.js';
import { socketDirectory } from './socket-directory.js';

/**
 * Starts `program` on `mongod/` below `dataDirectory`. Its files and the embedded engine's are not interchangeable.
 * It listens on a private Unix socket and on no port.
 * Options: https://www.mongodb.com/docs/manual/reference/program/mongod/
 */
export async function startMongod(program: string, dataDirectory: string): Promise<Engine> {
  const databaseDirectory = join(dataDirectory, 'mongod');
  await mkdir(databaseDirectory, { recursive: true, mode: 0o700 });
  const sockets = socketDirectory(dataDirectory);
  const socket = join(sockets, stableSocketName);
  const mongod = spawn(
    program,
    ['--dbpath', databaseDirectory, '--bind_ip', socket, '--unixSocketPrefix', sockets, '--quiet'],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    },
  );
  const exited = exitOf(mongod);
  const output = lastOutput(mongod);
  const unguard = mongod.pid === undefined ? () => undefined : endWithThisProcess(mongod.pid);
  void exited.then(() => {
    unguard();
    rmSync(sockets, { recursive: true, force: true });
  });
  const exit = await Promise.race([accepts(socket, exited), exited]);
  if (exit)
    throw new StartupError(
      `${program} ${describeExit(exit)} on ${databaseDirectory}: ${output().split('\n').at(-1) ?? ''}; repair it, or ` +
        'set MONGO_URI to another MongoDB',
    );
  return {
    url: `mongodb://${encodeURIComponent(socket)}/riskgraph?directConnection=true`,
    pid: mongod.pid!,
    exited,
    stop: () => terminate(mongod, exited),
  };
}

/** Resolves to undefined when a connection to `socket` succeeds, or when the server has exited. */
async function accepts(socket: string, exited: Promise<ChildExit>): Promise<undefined> {
  let gone = false;
  void exited.then(() => {
    gone = true;
  });
  while (!gone && !(await connects(socket))) await delay(50);
  return undefined;
}

function connects(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(socket);
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', () => resolve(false));
  });
}
