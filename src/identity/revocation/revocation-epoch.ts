import type { Redis } from 'ioredis';
import { withinTime } from '../../process/within-time.js';

/** Redis counts as away when it does not answer within this time. Milliseconds. */
const timeoutMs = 200;

/** Sets the epoch if the stored one is missing, is lower, or equals the wrong value that the caller has read. */
const announceScript = `
local present = redis.call('get', KEYS[1])
if not present or tonumber(present) < tonumber(ARGV[1]) or present == ARGV[2] then redis.call('set', KEYS[1], ARGV[1]) end`;

/** The number of the latest revocation (the epoch) in Redis. Every process reads it often, at almost no cost. */
export interface RevocationEpochs {
  /** Reads the epoch. Null when Redis has none (its data were lost), 'away' when it does not answer in time. */
  read(): Promise<number | null | 'away'>;
  /**
   * Announces an epoch to all processes. Never throws.
   * @param instead a wrong epoch that Redis holds: it is replaced even if it is higher
   * @returns whether Redis answered
   */
  announce(epoch: number, instead?: number): Promise<boolean>;
}

/** @param redis a connection whose commands fail at once while Redis is away; the caller closes it */
export function createRevocationEpochs(redis: Redis, keyPrefix: string): RevocationEpochs {
  const key = `${keyPrefix}:revocation-epoch`;
  return {
    async read() {
      const answer = await orAway(() => redis.get(key));
      return typeof answer === 'string' && answer !== 'away' ? Number(answer) : (answer as null | 'away');
    },
    async announce(epoch, instead) {
      return (await orAway(() => redis.eval(announceScript, 1, key, epoch, instead ?? ''))) !== 'away';
    },
  };
}

const orAway = <T>(command: () => Promise<T>): Promise<T | 'away'> =>
  withinTime(
    command().catch(() => 'away' as const),
    timeoutMs,
    () => 'away' as const,
  );
