import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { StartupError } from '../errors.js';
import { readTlsFiles, type TlsFiles } from './tls-files.js';

/** Longest time for the connection and for each command of the examination, milliseconds. */
const patienceMs = 2_000;

/** The Redis that a process is about to use. */
interface ExaminedRedis {
  readonly url: string;
  readonly tls: TlsFiles;
  /** First part of every key and channel. The rights are tried under it. */
  readonly prefix: string;
}

/**
 * The result of an examination.
 * - away: Redis does not answer, or still reads its file. A process starts without it.
 * - evicting: it works, but may drop the entries of the queue when its memory is full.
 * - fit: it works.
 */
type RedisFitness = 'fit' | 'evicting' | 'away';

/**
 * Connects to Redis once, and finds out whether it can do the work: a login, a server that takes writes, and the rights
 * that the queue and the events need. Such a mistake never heals while processes run, so it must end a start.
 * https://redis.io/docs/latest/commands/info/
 * @throws StartupError naming what is wrong with the Redis, and the remedy
 */
export async function examineRedis({ url, tls, prefix }: ExaminedRedis): Promise<RedisFitness> {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: patienceMs,
    commandTimeout: patienceMs,
    ...(url.startsWith('rediss://') && { tls: readTlsFiles(tls, 'REDIS') }),
  });
  const errors: Error[] = [];
  redis.on('error', (error) => errors.push(error));
  try {
    await redis.connect();
    const facts = await redis.info();
    const refusal = unfitServer(facts);
    if (refusal) throw new StartupError(refusal);
    await tryRights(redis, prefix);
    return evictsNothing.test(facts) ? 'fit' : 'evicting';
  } catch (error) {
    if (error instanceof StartupError) throw error;
    for (const { message } of [...errors, error as Error]) {
      const refusal = refusals.find(([pattern]) => pattern.test(message));
      if (refusal) throw new StartupError(refusal[1]);
    }
    return 'away';
  } finally {
    redis.disconnect();
  }
}

const evictsNothing = /^maxmemory_policy:noeviction/m;

/** Answers to a login or a command, and what they mean for the operator. */
const refusals: readonly (readonly [RegExp, string])[] = [
  [
    /^WRONGPASS|invalid password|invalid username/,
    'Redis refuses the user or the password of REDIS_URL: correct it, as in redis://user:PASSWORD@host.',
  ],
  [/^NOAUTH/, 'Redis asks for a password and REDIS_URL has none: add it, as in redis://:PASSWORD@host.'],
  [/called without any password configured/, 'REDIS_URL has a password and Redis has none: set requirepass in Redis.'],
  [
    /^NOPERM/,
    'The user of REDIS_URL may not do what jobs need: give it the rights +@all on the keys and channels of REDIS_PREFIX.',
  ],
  [/^READONLY|^MASTERDOWN/, 'REDIS_URL names a replica, which takes no writes: name the primary.'],
];

/** Answers to a write that pass again, and what they mean for the operator. A process starts all the same. */
const passing: readonly (readonly [RegExp, string])[] = [
  [/^OOM/, 'Redis has no memory left: give it more (maxmemory). Accepted jobs wait in MongoDB.'],
  [/^MISCONF/, 'Redis cannot write its file: make room on its disk. Accepted jobs wait in MongoDB.'],
  [/^LOADING/, 'Redis reads its file: wait until it has.'],
];

/**
 * Writes to Redis, and reads its own description: a server may answer and still be unable to do the work.
 * @param redis a connection whose commands fail fast
 * @returns the reason why it cannot do the work, with the remedy; undefined when it can
 * @throws an error of the connection
 */
export async function redisRefusal(redis: Redis, prefix: string): Promise<string | undefined> {
  const [facts, written] = await Promise.allSettled([
    redis.info(),
    redis.set(`${prefix}:health`, '1', 'PX', 10_000),
  ] as const);
  const unfit = facts.status === 'fulfilled' ? unfitServer(facts.value) : undefined;
  if (unfit !== undefined || written.status === 'fulfilled') return unfit;
  const { message, name } = written.reason as Error;
  if (name !== 'ReplyError') throw written.reason;
  const known = [...refusals, ...passing].find(([pattern]) => pattern.test(message));
  return known?.[1] ?? `Redis refuses writes (${/^[A-Z]+/.exec(message)?.[0] ?? 'unknown answer'}): see its log.`;
}

/** Finds the kind of server that the queue can never work with, from its own description. */
function unfitServer(facts: string): string | undefined {
  if (/^redis_mode:sentinel/m.test(facts))
    return 'REDIS_URL names a Sentinel, which keeps no data: name the primary that it watches.';
  if (/^redis_mode:cluster/m.test(facts))
    return 'REDIS_URL names a node of a Redis Cluster, which spreads a queue over several nodes: name a single Redis.';
  if (/^role:slave/m.test(facts)) return 'REDIS_URL names a replica, which takes no writes: name the primary.';
  return undefined;
}

/** Does once what the queue, the events and the counters do. @throws the answer of Redis that refuses it */
async function tryRights(redis: Redis, prefix: string): Promise<void> {
  const key = `${prefix}:examination:${randomUUID()}`;
  await redis.set(key, '1', 'PX', 10_000);
  await redis.eval('return redis.call("INCR", KEYS[1])', 1, key);
  await redis.bzpopmin(`${key}:queue`, 0.01);
  await redis.publish(key, '');
  await redis.del(key);
  await redis.subscribe(key);
}
