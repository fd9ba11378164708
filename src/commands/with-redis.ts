import type { Redis } from 'ioredis';
import type { Config } from '../config/config.js';
import { readRuntime } from '../embedded/data-directory.js';
import { createLogger } from '../process/logger.js';
import { connectRedis, whenReady } from '../storage/redis.js';

/**
 * Gives a command the Redis of this installation: that of REDIS_URL, else that of the running `up`. Its commands fail at
 * once while Redis is away. The connection ends with the work.
 * @returns the result of the work; undefined when there is no Redis
 */
export async function withRedis<T>(config: Config, work: (redis: Redis) => Promise<T>): Promise<T | undefined> {
  const url = config.redisUrl ?? (await readRuntime(config.dataDirectory))?.redisUrl;
  if (!url) return undefined;
  // The command itself says what an outage means for it.
  const redis = connectRedis(url, 'failing-fast', createLogger('silent', 'riskgraph'), config.redisTls);
  try {
    await whenReady(redis);
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
