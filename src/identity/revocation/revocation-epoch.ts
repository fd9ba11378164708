import type { Redis } from 'ioredis';
import { withinTime } from '../../process/within-time.js';

/** How long Redis may take before it counts as away, milliseconds. */
const timeoutMs = 200;

/** Sets the epoch where it is lower, missing, or what the caller has seen and knows to be wrong. */
const announceScript = `
local present = redis.call('get', KEYS[1])
if not present or tonumber(present) < tonumber(ARGV[1]) or present == ARGV[2] then redis.call('set', KEYS[1], ARGV[1]) end`;

/** The number of the latest revocation, where every process looks for it often: it costs Redis next to nothing. */
export interface RevocationEpochs {
  /** Null when Redis has none (it was wiped), 'away' when it does not answer in time. */
  read(): Promise<number | null | 'away'>;
  /** Tells all processes. Never throws. @param instead what stands there and is wrong, even if it is higher. @returns whether Redis took it */
  announce(epoch: number, instead?: number): Promise<boolean>;
}

/** @param redis fails fast; closed by the one that made it */
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
