import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname, join } from 'node:path';

import { Redis } from 'ioredis';
import { mongo } from 'mongoose';
import { expect, onTestFinished, test } from 'vitest';

import { exitOf } from '../../src/embedded/child-exit.js';
import { startEngines, type EngineOptions, type Engines } from '../../src/embedded/engines.js';
import { spawnEntry } from '../../src/embedded/spawn-entry.js';
import type { UnexpectedExit } from '../../src/embedded/supervisor.js';
import { isRunning } from '../support/is-running.js';
import { namespace } from '../support/namespace.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const journaled = { writeConcern: { w: 1, journal: true } };

async function start(options: EngineOptions): Promise<Engines> {
  const engines = await startEngines(options);
  onTestFinished(() => engines.stop());
  return engines;
}

async function connect(engines: Pick<Engines, 'mongoUri' | 'redisUrl'>) {
  const client = new mongo.MongoClient(engines.mongoUri);
  onTestFinished(() => client.close());
  const redis = new Redis(engines.redisUrl, { maxRetriesPerRequest: null, retryStrategy: () => 20 });
  redis.on('error', () => undefined);
  onTestFinished(() => redis.disconnect());
  return { client, notes: client.db().collection<{ _id: number }>('notes'), redis };
}

/** Tells whether a server listens at a `mongodb://` URL of a Unix socket or a `redis://` URL of a port. */
async function listens(url: string): Promise<boolean> {
  const { host, port } = new URL(url);
  const socket = port ? createConnection(Number(port), '127.0.0.1') : createConnection(decodeURIComponent(host));
  const connected = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return connected;
}

test('every test file has a database and a Redis prefix of its own', async () => {
  const [own, other] = [namespace(), namespace()];
  expect(own.databaseName).not.toBe(other.databaseName);
  const { client, notes, redis } = await connect(own);
  await notes.insertOne({ _id: 1 }, journaled);
  expect(client.db().databaseName).toBe(own.databaseName);
  await redis.set(`${own.redisPrefix}:key`, 'value');
  expect(await redis.exists(`${other.redisPrefix}:key`)).toBe(0);
});

test('data survives a restart, below a path too long for a socket, and no process or socket stays behind', async () => {
  const dataDirectory = join(await temporaryDirectory(), 'd'.repeat(120), '.data');
  mkdirSync(dataDirectory, { recursive: true });
  const first = await startEngines({ dataDirectory });
  const before = await connect(first);
  await before.notes.insertOne({ _id: 1 }, journaled);
  await before.redis.set('key', 'value');
  const socketDirectory = dirname(decodeURIComponent(new URL(first.mongoUri).host));
  expect(existsSync(socketDirectory)).toBe(true);
  await first.stop();
  await first.stop();
  expect(existsSync(socketDirectory)).toBe(false);

  const second = await start({ dataDirectory });
  expect(second.mongoUri).toBe(first.mongoUri);
  expect(second.redisUrl).toBe(first.redisUrl);
  const after = await connect(second);
  expect(await after.notes.countDocuments()).toBe(1);
  expect(await after.redis.get('key')).toBe('value');
});

test('a killed engine starts again at the same address, with every acknowledged write', async () => {
  const events: UnexpectedExit[] = [];
  const engines = await start({
    dataDirectory: await temporaryDirectory(),
    onUnexpectedExit: (event) => events.push(event),
  });
  const { notes, redis } = await connect(engines);
  for (let i = 0; i < 50; i++) await notes.insertOne({ _id: i }, journaled);
  await redis.set('key', 'value');
  await redis.bgrewriteaof();
  const { mongodb, redis: redisPid } = engines.pids();

  process.kill(mongodb!, 'SIGKILL');
  process.kill(redisPid!, 'SIGKILL');
  await expect.poll(() => notes.countDocuments().catch(() => undefined)).toBe(50);
  expect(await redis.get('key')).toBe('value');
  expect(engines.pids().mongodb).not.toBe(mongodb);
  expect(engines.pids().redis).not.toBe(redisPid);
  const sockets = dirname(decodeURIComponent(new URL(engines.mongoUri).host));
  expect(readdirSync(sockets), "the killed engine's socket is cleared away").toEqual([
    expect.stringMatching(/^embedded-mongodb-/),
    'mongodb.sock',
  ]);
  expect(events).toHaveLength(2);
  for (const engine of ['mongodb', 'redis']) {
    expect(events).toContainEqual({ engine, reason: 'was killed by SIGKILL', restartInMs: 100 });
  }
});

test('kill -9 of the owner ends its engines, and the next start has every acknowledged write', async () => {
  const dataDirectory = await temporaryDirectory();
  const owner = spawnEntry(new URL('./fixtures/engine-owner.mjs', import.meta.url), { args: [dataDirectory] });
  const exited = exitOf(owner);
  const [report] = (await once(owner, 'message')) as [Engines & { pids: { mongodb: number; redis: number } }];
  const before = await connect(report);
  for (let i = 0; i < 50; i++) await before.notes.insertOne({ _id: i }, journaled);
  owner.kill('SIGKILL');
  expect(await exited).toEqual({ code: null, signal: 'SIGKILL' });
  for (const url of [report.mongoUri, report.redisUrl]) await expect.poll(() => listens(url)).toBe(false);
  await expect.poll(() => isRunning(report.pids.mongodb), { timeout: 20_000 }).toBe(false);
  const sockets = dirname(decodeURIComponent(new URL(report.mongoUri).host));
  expect(existsSync(sockets), 'the next start may have made its socket there already').toBe(true);

  const after = await connect(await start({ dataDirectory }));
  expect(await after.notes.countDocuments()).toBe(50);
});

test('kill -9 of everything at once loses no acknowledged write', async () => {
  const dataDirectory = await temporaryDirectory();
  const owner = spawnEntry(new URL('./fixtures/engine-owner.mjs', import.meta.url), { args: [dataDirectory] });
  const exited = exitOf(owner);
  const [report] = (await once(owner, 'message')) as [Engines & { pids: { mongodb: number; redis: number } }];
  const before = await connect(report);
  const acknowledged: number[] = [];
  const writing = (async () => {
    for (let i = 0; ; i++) {
      await before.notes.insertOne({ _id: i }, journaled);
      acknowledged.push(i);
    }
  })().catch(() => undefined);
  await expect.poll(() => acknowledged.length, { interval: 5 }).toBeGreaterThan(20);
  for (const pid of [owner.pid!, report.pids.mongodb, report.pids.redis]) process.kill(pid, 'SIGKILL');
  await Promise.all([exited, before.client.close().then(() => writing)]);

  const after = await connect(await start({ dataDirectory }));
  const stored = new Set((await after.notes.find().toArray()).map(({ _id }) => _id));
  expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
});

test('an engine that the settings name is used, and none is started', async () => {
  const own = namespace();
  const engines = await start({
    dataDirectory: await temporaryDirectory(),
    mongoUri: own.mongoUri,
    redisUrl: own.redisUrl,
  });
  expect(engines).toMatchObject({ mongoUri: own.mongoUri, redisUrl: own.redisUrl });
  expect(engines.pids()).toEqual({ mongodb: undefined, redis: undefined });
});
