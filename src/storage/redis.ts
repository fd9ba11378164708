import { Redis, type RedisOptions } from 'ioredis';
import type { Logger } from 'pino';
import { readTlsFiles, type TlsFiles } from './tls-files.js';
import { logError } from '../process/logger.js';

/**
 * How a connection treats an outage.
 * - waiting: commands wait until Redis is back (workers, publishers, subscribers)
 * - failing-fast: commands fail at once (where a caller waits)
 * - dispensable: as failing-fast, and what was sent is not sent again (where there is another way)
 */
export type OutageBehaviour = 'waiting' | 'failing-fast' | 'dispensable';

/**
 * How long Redis may take to answer before the connection is given up for a new one, milliseconds. A host that lost its
 * power, or a firewall that forgot the connection, says nothing, and TCP itself would wait for a quarter of an hour.
 * - waiting: longer than BullMQ blocks on an empty queue, which is 10 s at most
 * - dispensable: longer than a busy machine takes, as what was counted is then counted anew
 */
const answerMs: Record<OutageBehaviour, number> = { waiting: 12_000, 'failing-fast': 2_000, dispensable: 1_000 };

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

/** Commands that BullMQ blocks with. */
const blockingCommands = ['bzpopmin'];

const reconnectDelayMs = (attempt: number): number => Math.min(50 * 2 ** Math.min(attempt, 5), 1_000);

/**
 * A connection that keeps trying to come back. Its errors are logged, never thrown.
 * @param tls for a `rediss://` URL
 * @throws StartupError when a file of `tls` cannot be read
 */
export function connectRedis(
  url: string,
  behaviour: OutageBehaviour,
  logger: Logger,
  tls: TlsFiles = {},
  { pipelined = false }: ConnectionUse = {},
): Redis {
  const options: RedisOptions = {
    maxRetriesPerRequest: behaviour === 'waiting' ? null : 1,
    enableOfflineQueue: behaviour === 'waiting',
    retryStrategy: reconnectDelayMs,
    connectTimeout: 5_000,
    socketTimeout: answerMs[behaviour],
    ...(pipelined && { enableAutoPipelining: true, autoPipeliningIgnoredCommands: blockingCommands }),
    ...(behaviour === 'dispensable' && { maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false }),
    ...(url.startsWith('rediss://') && { tls: readTlsFiles(tls, 'REDIS') }),
  };
  const redis = new Redis(url, options);
  let lastMessage = '';
  redis.on('error', (error: Error) => {
    // A long outage would repeat the same line many times a second.
    if (error.message !== lastMessage) logError(logger, error, 'Redis connection', { level: 'warn' });
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
