import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';

import { startRedis } from '../../src/embedded/embedded-redis.js';
import { redisConfiguration } from '../../src/embedded/redis-configuration.js';
import { StartupError } from '../../src/errors.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** Starts Redis for this test; a second start on the same directory ends the first. */
async function start(directory: string, options?: { keepPort?: boolean }) {
  const redis = await startRedis(directory, options);
  onTestFinished(() => redis.stop());
  const client = new Redis(redis.url, { lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => undefined);
  onTestFinished(() => client.disconnect());
  return { redis, client };
}

test('a restart keeps its data and its address', async () => {
  const directory = await temporaryDirectory();
  const first = await start(directory);
  await first.client.set('key', 'value');
  await first.redis.stop();
  expect(await first.redis.exited).toEqual({ code: 0, signal: null });
  const second = await start(directory);
  expect(second.redis.url).toBe(first.redis.url);
  expect(await second.client.get('key')).toBe('value');
});

test('no job is lost: no key is evicted, and every write is appended to the log', async () => {
  const { client } = await start(await temporaryDirectory());
  for (const [name, value] of [
    ['maxmemory-policy', 'noeviction'],
    ['appendonly', 'yes'],
    ['appendfsync', 'everysec'],
    ['bind', '127.0.0.1'],
  ]) {
    expect(await client.config('GET', name!)).toEqual([name, value]);
  }
});

test('it requires its password, which only private files hold', async () => {
  const directory = await temporaryDirectory();
  const { redis } = await start(directory);
  const { port, password } = new URL(redis.url);
  const stranger = new Redis(Number(port), '127.0.0.1', { enableReadyCheck: false });
  stranger.on('error', () => undefined);
  onTestFinished(() => stranger.disconnect());
  await expect(stranger.get('key')).rejects.toThrow('NOAUTH');
  for (const file of ['redis.conf', 'identity.json']) {
    expect(readFileSync(join(directory, 'redis', file), 'utf8')).toContain(password);
    expect(statSync(join(directory, 'redis', file)).mode & 0o777).toBe(0o600);
  }
});

test('the next start ends a Redis that outlived its parent, and keeps its data', async () => {
  const directory = await temporaryDirectory();
  const orphan = await start(directory);
  await orphan.client.set('key', 'value');
  const next = await start(directory);
  expect(await orphan.redis.exited).toEqual({ code: 0, signal: null });
  expect(next.redis.url).toBe(orphan.redis.url);
  expect(await next.client.get('key')).toBe('value');
});

test('it takes another port when a program uses its own, but not while clients have its address', async () => {
  const directory = await temporaryDirectory();
  const { redis } = await start(directory);
  await redis.stop();
  const squatter = createServer((connection) => connection.end()).listen(Number(new URL(redis.url).port), '127.0.0.1');
  await once(squatter, 'listening');
  onTestFinished(() => void squatter.close());
  await expect(startRedis(directory, { keepPort: true })).rejects.toThrow(StartupError);
  expect((await start(directory)).redis.url).not.toBe(redis.url);
});

test('a missing redis-server is reported in one line with the remedy', async () => {
  const directory = await temporaryDirectory();
  await expect(startRedis(directory, { searchPath: directory })).rejects.toThrow(
    new StartupError(
      'redis-server is not on the PATH: install it (scripts/quickstart.sh does; or apt-get install redis-server, ' +
        'brew install redis), or set REDIS_URL',
    ),
  );
});

test('data that Redis cannot read is reported in one line', async () => {
  const directory = await temporaryDirectory();
  const { redis } = await start(directory);
  await redis.stop();
  writeFileSync(join(directory, 'redis', 'appendonlydir', 'appendonly.aof.manifest'), 'nonsense\n');
  await expect(startRedis(directory)).rejects.toThrow(
    /^redis-server ended with exit code 1 on .*; repair it, or set REDIS_URL$/,
  );
});

test('a directory name with quotes and spaces is quoted', () => {
  expect(redisConfiguration({ port: 1, password: 'p', directory: '/a "b" c\\d' })).toContain(
    'dir "/a \\"b\\" c\\\\d"\n',
  );
});
