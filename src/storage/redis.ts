import { Redis, type RedisOptions } from 'ioredis';
import type { Logger } from 'pino';
import { readTlsFiles, type TlsFiles } from './tls-files.js';
import { logError } from '../process/logger.js';

/**
 * The behaviour of a connection in an outage of Redis.
 * - waiting: commands wait until Redis is back (workers, publishers, subscribers)
 * - failing-fast: commands fail at once (when a caller waits for them)
 * - dispensable: commands fail at once, and are never sent again (when the caller can do without Redis)
 */
export type OutageBehaviour = 'waiting' | 'failing-fast' | 'dispensable';

/**
 * Milliseconds that Redis may take to answer before the connection is replaced by a new one. A host that lost its
 * power, or a firewall that dropped the connection, sends nothing. TCP itself would wait for a quarter of an hour.
 * - waiting: longer than BullMQ blocks on an empty queue, which is 10 s at most
 * - dispensable: longer than a busy machine takes, because counting then starts again
 */
const answerMs: Record<OutageBehaviour, number> = { waiting: 12_000, 'failing-fast': 2_000, dispensable: 1_000 };

/** Milliseconds that a starting process waits for Redis. */
const patienceMs = 2_000;

/** The use of a connection, in addition to its behaviour in an outage. */
export interface ConnectionUse {
  /**
   * True: commands of one turn of the event loop travel as one pipeline, and the next pipeline follows when that one is
   * answered. Sending small commands one by one would cost both sides more than the commands themselves. Blocking
   * commands are left out, because no command may wait behind them.
   * https://github.com/redis/ioredis#autopipelining
   */
  readonly pipelined?: boolean;
}

/** Commands of BullMQ that block. */
const blockingCommands = ['bzpopmin'];

/**
 * Answers of a Redis that cannot do the work, but whose address may lead to one that can: it was demoted, or it reads
 * its file. The connection to it stays open, so a client must leave it.
 * https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
 */
const wrongServer = /^(?:READONLY|LOADING|MASTERDOWN) /;

/** Shortest time between two new connections because of such an answer, milliseconds. */
const shortestStayMs = 1_000;

/** Tells whether an answer of Redis is a reason for a new connection, at most once per `shortestStayMs`. */
function createReconnect(behaviour: OutageBehaviour): (error: Error) => boolean | 2 {
  let last = -Infinity;
  return ({ message }) => {
    if (!wrongServer.test(message) || performance.now() - last < shortestStayMs) return false;
    last = performance.now();
    // 2: the command is sent again. The callers of other connections do without it, or have been answered.
    return behaviour === 'waiting' ? 2 : true;
  };
}

const reconnectDelayMs = (attempt: number): number => Math.min(50 * 2 ** Math.min(attempt, 5), 1_000);

/**
 * Connects to Redis, and connects again after each outage. Errors of the connection are logged, never thrown.
 * @param tls files for a `rediss://` URL
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
    // The event bus, which alone subscribes, does it again itself.
    autoResubscribe: false,
    retryStrategy: reconnectDelayMs,
    reconnectOnError: createReconnect(behaviour),
    connectTimeout: 5_000,
    socketTimeout: answerMs[behaviour],
    ...(pipelined && { enableAutoPipelining: true, autoPipeliningIgnoredCommands: blockingCommands }),
    ...(behaviour === 'dispensable' && { maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false }),
    ...(url.startsWith('rediss://') && { tls: readTlsFiles(tls, 'REDIS') }),
  };
  const redis = new Redis(url, options);
  let lastMessage = '';
  redis.on('error', (error: Error) => {
    // Logs a message only once: a long outage would repeat it many times per second.
    if (error.message !== lastMessage) logError(logger, error, 'Redis connection', { level: 'warn' });
    lastMessage = error.message;
  });
  redis.on('ready', () => (lastMessage = ''));
  return redis;
}

/**
 * Waits until the connection is ready, for `patienceMs` at most: a process starts without Redis too.
 * @returns false when it is not ready then
 */
export async function whenReady(redis: Redis): Promise<boolean> {
  if (redis.status === 'ready') return true;
  return new Promise<boolean>((resolve) => {
    const ready = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    const timer = setTimeout(() => {
      redis.off('ready', ready);
      resolve(false);
    }, patienceMs);
    redis.once('ready', ready);
  });
}
