import { spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { StartupError } from '../errors.js';
import { describeExit, exitOf, lastOutput, terminate, type ChildExit } from './child-exit.js';
import type { Engine } from './engine.js';
import { endWithThisProcess } from './guard.js';
import { findOnPath } from './path-search.js';
import { writePrivateFile } from './private-file.js';
import { redisConfiguration } from './redis-configuration.js';
import { probeRedis, shutDownRedis } from './redis-probe.js';
import { hasCode } from './thrown.js';

/** Ports below those of outgoing connections: the operating system does not take ours before a restart. */
const portRange = { from: 20_000, to: 30_000 } as const;
const portAttempts = 20;

/** The port and the password of the engine. They lie in the data directory; only this user can read them. */
interface Identity {
  port: number;
  password: string;
}

/**
 * Starts the `redis-server` found on the PATH on the data of `dataDirectory`. It listens on a private port of 127.0.0.1
 * with a random password. The port is the last one again when that is free. A Redis that outlived its parent is ended
 * first.
 *
 * @param dataDirectory an existing directory; the data lie in `redis/` below it
 * @param options.keepPort fail when the last port is taken: clients hold its URL
 * @param options.searchPath where to look for redis-server, as in PATH; default: this process's PATH
 * @throws StartupError when there is no redis-server, or it does not start
 */
export async function startRedis(
  dataDirectory: string,
  options: { keepPort?: boolean; searchPath?: string } = {},
): Promise<Engine> {
  const program = findOnPath('redis-server', options.searchPath);
  if (!program) {
    throw new StartupError(
      'redis-server is not on the PATH: install it (scripts/quickstart.sh does; or apt-get install redis-server, ' +
        'brew install redis), or set REDIS_URL',
    );
  }
  const directory = join(dataDirectory, 'redis');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const identityFile = join(directory, 'identity.json');
  const before = await readIdentity(identityFile);
  if (before) await shutDownRedis(before.port, before.password);
  for (let attempt = 1; ; attempt++) {
    const port = options.keepPort && before ? before.port : await freePort(attempt === 1 ? before?.port : undefined);
    const identity = { port, password: before?.password ?? randomBytes(24).toString('base64url') };
    await writePrivateFile(identityFile, JSON.stringify(identity));
    try {
      return await startOn(program, directory, identity);
    } catch (error) {
      // Another program may take the port between our check and the start.
      if (!(error instanceof PortTakenError) || options.keepPort || attempt === portAttempts) throw error;
    }
  }
}

class PortTakenError extends StartupError {}

async function startOn(program: string, directory: string, identity: Identity): Promise<Engine> {
  const configuration = join(directory, 'redis.conf');
  await writePrivateFile(configuration, redisConfiguration({ ...identity, directory }));
  // A separate process group: Ctrl-C reaches only our parent, which stops Redis last.
  const redis = spawn(program, [configuration], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const exited = exitOf(redis);
  const output = lastOutput(redis);
  const unguard = redis.pid === undefined ? () => undefined : endWithThisProcess(redis.pid);
  void exited.then(unguard);
  const exit = await Promise.race([answers(identity, exited), exited]);
  if (exit) {
    const said = output();
    const message =
      `redis-server ${describeExit(exit)} on ${directory}: ${said.split('\n').at(-1)}; repair it, or ` +
      'set REDIS_URL';
    throw /address already in use/i.test(said) ? new PortTakenError(message) : new StartupError(message);
  }
  return {
    url: `redis://:${identity.password}@127.0.0.1:${identity.port}`,
    pid: redis.pid!,
    exited,
    stop: () => terminate(redis, exited),
  };
}

/** Resolves to undefined when Redis has read its file and answers, or has exited. */
async function answers({ port, password }: Identity, exited: Promise<ChildExit>): Promise<undefined> {
  let gone = false;
  void exited.then(() => {
    gone = true;
  });
  while (!gone && (await probeRedis(port, password)) !== 'ready') await delay(20);
  return undefined;
}

async function readIdentity(path: string): Promise<Identity | undefined> {
  try {
    const { port, password } = JSON.parse(await readFile(path, 'utf8')) as Partial<Identity>;
    return typeof port === 'number' && typeof password === 'string' ? { port, password } : undefined;
  } catch (error) {
    // A power cut can leave a half-written file. It counts as missing, and a new identity replaces it.
    if (hasCode(error, 'ENOENT') || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Returns `preferred` when it is free, else a random free port of the range. */
async function freePort(preferred: number | undefined): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred;
  for (let attempt = 0; attempt < portAttempts; attempt++) {
    const port = randomInt(portRange.from, portRange.to);
    if (await isFree(port)) return port;
  }
  throw new StartupError(
    `no free port for Redis among ${portAttempts} tried from ${portRange.from} to ${portRange.to}: free some, or set ` +
      'REDIS_URL',
  );
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
