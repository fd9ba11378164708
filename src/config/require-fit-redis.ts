import type { Logger } from 'pino';
import type { Config } from './config.js';
import { StartupError } from '../errors.js';
import { examineRedis } from '../storage/redis-fitness.js';

/**
 * Examines the Redis of a process before it starts. Without an answer the process starts.
 * @throws StartupError when Redis answers and cannot do the work, or drops entries in production
 */
export async function requireFitRedis(config: Config, url: string, logger: Logger): Promise<void> {
  const fitness = await examineRedis({ url, tls: config.redisTls, prefix: config.redisPrefix });
  if (fitness === 'away')
    logger.warn('Redis does not answer: jobs are accepted and wait for it. Check that Redis runs, and REDIS_URL');
  if (fitness !== 'evicting') return;
  if (config.environment === 'production' && !config.waivedChecks.includes('evicting-redis'))
    throw new StartupError(
      'Redis drops entries of the queue when its memory is full: set its maxmemory-policy to noeviction, ' +
        'or waive it with WAIVED_CHECKS=evicting-redis.',
    );
  logger.warn('Redis drops entries of the queue when its memory is full: set its maxmemory-policy to noeviction');
}
