import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createApp } from '../../src/app.js';
import { examineRedis, redisRefusal } from '../../src/storage/redis-fitness.js';
import { ownRedis, redisServer } from '../support/own-redis.js';
import { runCommand } from '../support/run-command.js';
import { settingsFor, startSystem } from '../support/system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { freePort } from '../support/free-port.js';

const { url, operator } = await ownRedis();
const examine = (of: string) => examineRedis({ url: of, tls: {}, prefix: 'test' });

beforeEach(async () => {
  await operator.config('SET', 'maxmemory-policy', 'noeviction');
});

test('a Redis as the documents describe it is fit, and nothing of the examination stays', async () => {
  expect(await examine(url)).toBe('fit');
  expect(await operator.keys('*')).toEqual([]);
});

test('one that drops entries is found', async () => {
  await operator.config('SET', 'maxmemory-policy', 'allkeys-lru');
  expect(await examine(url)).toBe('evicting');
});

test('one that drops entries refuses a production start, unless that is waived', async () => {
  await operator.config('SET', 'maxmemory-policy', 'volatile-lru');
  const { app } = await startSystem({ worker: false });
  const config = { ...app.config, redisUrl: url, environment: 'production' as const };
  await expect(createApp(config, app.logger)).rejects.toThrow(
    'Redis drops entries of the queue when its memory is full: set its maxmemory-policy to noeviction, ' +
      'or waive it with WAIVED_CHECKS=evicting-redis.',
  );
  const waived = await createApp({ ...config, waivedChecks: ['evicting-redis'] }, app.logger);
  await waived.close();
});

test('one that does not answer is away', async () => {
  expect(await examine(`redis://127.0.0.1:${await freePort()}`)).toBe('away');
});

test.each<[string, (url: URL) => void, RegExp]>([
  ['a wrong password', (of) => (of.password = 'another'), /refuses the user or the password of REDIS_URL: correct/],
  ['no password', (of) => (of.password = ''), /asks for a password and REDIS_URL has none: add it/],
])('%s is refused', async (_what, change, message) => {
  const changed = new URL(url);
  change(changed);
  await expect(examine(changed.href)).rejects.toThrow(message);
});

test('a user without the rights is refused', async () => {
  await operator.call('ACL', 'SETUSER', 'reader', 'on', '>secret', '~*', '&*', '+@all', '-eval');
  const changed = new URL(url);
  changed.username = 'reader';
  changed.password = 'secret';
  await expect(examine(changed.href)).rejects.toThrow(/may not do what jobs need: give it the rights/);
});

test('a replica is refused', async () => {
  await operator.replicaof('127.0.0.1', String(await freePort()));
  await expect(examine(url)).rejects.toThrow(/names a replica, which takes no writes: name the primary/);
  await operator.replicaof('NO', 'ONE');
});

test('a node of a cluster is refused', async () => {
  const node = await redisServer(await freePort(), '--cluster-enabled', 'yes');
  await expect(examine(node)).rejects.toThrow(/names a node of a Redis Cluster.*: name a single Redis/);
});

test('a Sentinel is refused', async () => {
  const file = join(await temporaryDirectory(), 'sentinel.conf');
  await writeFile(file, 'protected-mode no\n');
  const sentinel = await redisServer(await freePort(), file, '--sentinel');
  await expect(examine(sentinel)).rejects.toThrow(/names a Sentinel, which keeps no data: name the primary/);
});

describe('the write probe of a running process', () => {
  const refusal = async (of: string): Promise<string | undefined> => {
    const redis = new Redis(of, { maxRetriesPerRequest: 1, retryStrategy: () => null });
    redis.on('error', () => undefined);
    onTestFinished(() => redis.disconnect());
    return redisRefusal(redis, 'test');
  };

  test('finds nothing wrong with a Redis that works', async () => {
    expect(await refusal(url)).toBeUndefined();
  });

  test('sees a replica, and a Redis without memory', async () => {
    await operator.replicaof('127.0.0.1', String(await freePort()));
    expect(await refusal(url)).toMatch(/names a replica/);
    await operator.replicaof('NO', 'ONE');
    await operator.config('SET', 'maxmemory', '1');
    expect(await refusal(url)).toMatch(/^Redis has no memory left/);
    await operator.config('SET', 'maxmemory', '0');
  });

  test('sees a node of a cluster, and a Sentinel', async () => {
    expect(await refusal(await redisServer(await freePort(), '--cluster-enabled', 'yes'))).toMatch(/Redis Cluster/);
    const file = join(await temporaryDirectory(), 'sentinel.conf');
    await writeFile(file, 'protected-mode no\n');
    expect(await refusal(await redisServer(await freePort(), file, '--sentinel'))).toMatch(/names a Sentinel/);
  });

  test('passes on an error of the connection', async () => {
    await expect(refusal(`redis://127.0.0.1:${await freePort()}`)).rejects.toThrow();
  });
});

test('a command that starts a server says it in one line, without a stack', async () => {
  const system = await startSystem({ worker: false });
  const wrong = new URL(url);
  wrong.password = 'another';
  const settings = { ...settingsFor(system.app.config), REDIS_URL: wrong.href };
  for (const command of ['api', 'worker'])
    expect(await runCommand([command], settings)).toMatchObject({
      code: 1,
      errors:
        'error: Redis refuses the user or the password of REDIS_URL: correct it, as in redis://user:PASSWORD@host.\n',
    });
});
