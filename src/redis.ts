import { Redis, type RedisOptions } from 'ioredis';
import type { Logger } from 'pino';
import { readTlsFiles, type TlsFiles } from './tls-files.js';

/**
 * How a connection treats an outage.
 * - waiting: commands wait until Redis is back (workers, publishers, subscribers)
 * - failing-fast: commands fail at once (where a caller waits)
 * - dispensable: as failing-fast, and a Redis that accepts but does not answer is left at once too (where there is another way)
 */
export type OutageBehaviour = 'waiting' | 'failing-fast' | 'dispensable';

/** How long a dispensable Redis may take to answer, milliseconds: more than a busy machine takes, as what it counted is then counted anew. */
const dispensableAnswerMs = 1_000;

/** What a process that starts waits for Redis, milliseconds. */
const patienceMs = 2_000;

/** How a connection is used, beside its behaviour in an outage. */
export interface ConnectionUse {
  /**
   * Commands of one turn of the event loop travel as one pipeline, and the next one when that is answered: many small commands
   * cost both sides mostly for being sent one by one. Not those that block, which nothing may wait behind.
   * https://github.com/redis/ioredis#autopipelining
   */
  readonly pipelined?: boolean;
}

const blockingCommands = ['bzpopmin'];

const reconnectDelayMs = (attempt: number): number => Math.min(50 * 2 ** Math.min(attempt, 5), 1_000);

/**
 * A connection that keeps trying to come back. Its errors are logged, never thrown.
 * @param tls for a `rediss://` URL
 * @throws StartupError when a file of `tls` cannot be read
 */
export function connectRedis(url: string, behaviour: OutageBehaviour, logger: Logger, tls: TlsFiles = {}, { pipelined = false }: ConnectionUse = {}): Redis {
  const options: RedisOptions = {
    maxRetriesPerRequest: behaviour === 'waiting' ? null : 1,
    enableOfflineQueue: behaviour === 'waiting',
    retryStrategy: reconnectDelayMs,
    connectTimeout: 5_000,
    ...(pipelined && { enableAutoPipelining: true, autoPipeliningIgnoredCommands: blockingCommands }),
    ...(behaviour === 'dispensable' && { maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false, socketTimeout: dispensableAnswerMs }),
    ...(url.startsWith('rediss://') && { tls: readTlsFiles(tls, 'REDIS') }),
  };
  const redis = new Redis(url, options);
  let lastMessage = '';
  redis.on('error', (error: Error) => {
    // A long outage would repeat the same line many times a second.
    if (error.message !== lastMessage) logger.warn({ reason: error.message }, 'Redis connection');
    lastMessage = error.message;
  });
  redis.on('ready', () => (lastMessage = ''));
  return redis;
}

/** Resolves once the connection can be used, or a moment has passed: a process starts without Redis too. */
export async function whenReady(redis: Redis): Promise<void> {
  if (redis.status === 'ready') return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, patienceMs);
    redis.once('ready', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
