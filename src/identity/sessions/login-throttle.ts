import type { Redis } from 'ioredis';
import { createHash } from 'node:crypto';
import {
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
  RLWrapperTimeouts,
  type RateLimiterAbstract,
} from 'rate-limiter-flexible';
import { RateLimitedError } from '../../errors.js';
import { withinTime } from '../../process/within-time.js';
import { addressBlock } from '../../net/address-block.js';

/**
 * Attempts with a wrong password, in windows that begin with the first. One address that guesses at one account is stopped
 * soon. Many addresses that guess at one account, or one that guesses at many, are stopped late, and never for an account
 * at an address where it has logged in before: nobody can lock somebody else out for ever.
 * The idea is that of OWASP's device cookies, with the address in the place of the cookie.
 * https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
 */
export const loginLimits = {
  pair: { points: 10, duration: 15 * 60 },
  account: { points: 50, duration: 60 * 60 },
  address: { points: 100, duration: 15 * 60 },
} as const;

/** How long it is remembered where an account has logged in, seconds. */
const familiarSeconds = 30 * 86_400;
/** A Redis that answers no sooner counts as away, milliseconds. */
const redisTimeoutMs = 250;

/** Who tries to prove to be whom, from where. Both names as they were given: they need not exist. */
export interface Attempt {
  readonly organization: string;
  readonly username: string;
  readonly address: string;
}

/** What an attempt was refused for the first time in this window, for the audit trail: once, however often it is tried. */
export interface ThrottledError extends RateLimitedError {
  readonly firstInWindow: boolean;
}

/** Counts attempts in Redis, for all processes together; in memory, for this process alone, while Redis is away. */
export interface LoginThrottle {
  /** Counts an attempt before its password is looked at. @throws ThrottledError when there were too many */
  attempt(attempt: Attempt): Promise<void>;
  /** The password was right: forgets what was counted for the account and, at this address, for the pair. */
  succeeded(attempt: Attempt): Promise<void>;
}

export function createLoginThrottle(redis: Redis, keyPrefix: string): LoginThrottle {
  const limiter = (name: keyof typeof loginLimits): RateLimiterAbstract => {
    const options = { ...loginLimits[name], keyPrefix: `${keyPrefix}:login-${name}` };
    return new RLWrapperTimeouts({
      limiter: new RateLimiterRedis({ ...options, storeClient: redis, rejectIfRedisNotReady: true }),
      insuranceLimiter: new RateLimiterMemory(options),
      timeoutMs: redisTimeoutMs,
    });
  };
  const pairs = limiter('pair');
  const accounts = limiter('account');
  const addresses = limiter('address');
  const familiarKey = (pair: string): string => `${keyPrefix}:login-familiar:${pair}`;

  async function isFamiliar(pair: string): Promise<boolean> {
    return redis.status === 'ready' && (await orAway(redis.exists(familiarKey(pair)))) === 1;
  }

  return {
    async attempt(attempt) {
      const { account, address, pair } = keysOf(attempt);
      // One after the other: what is refused here must not use up what others need.
      const ofPair = await consume(pairs, pair);
      if (ofPair) throw throttled([ofPair], loginLimits.pair.points);
      const refused = await Promise.all([consume(accounts, account), consume(addresses, address)]);
      const exceeded = refused.filter((result) => result !== undefined);
      if (exceeded.length > 0 && !(await isFamiliar(pair)))
        throw throttled(exceeded, refused[0] ? loginLimits.account.points : loginLimits.address.points);
    },

    async succeeded(attempt) {
      const { account, address, pair } = keysOf(attempt);
      await Promise.allSettled([
        pairs.delete(pair),
        accounts.delete(account),
        addresses.reward(address),
        redis.status === 'ready' ? orAway(redis.set(familiarKey(pair), '1', 'EX', familiarSeconds)) : undefined,
      ]);
    },
  };
}

/** @returns what was exceeded, or undefined while there is room */
async function consume(limiter: RateLimiterAbstract, key: string): Promise<RateLimiterRes | undefined> {
  try {
    await limiter.consume(key);
    return undefined;
  } catch (error) {
    if (error instanceof RateLimiterRes) return error;
    throw error;
  }
}

function throttled(exceeded: readonly RateLimiterRes[], points: number): ThrottledError {
  const seconds = Math.max(1, ...exceeded.map(({ msBeforeNext }) => Math.ceil(msBeforeNext / 1000)));
  return Object.assign(new RateLimitedError(`Too many login attempts: try again in ${seconds} seconds.`, seconds), {
    firstInWindow: exceeded[0]!.consumedPoints === points + 1,
  });
}

const orAway = <T>(answer: Promise<T>): Promise<T | undefined> =>
  withinTime(
    answer.catch(() => undefined),
    redisTimeoutMs,
    () => undefined,
  );

/** Hashed: names and addresses are nobody's business in Redis, and what a stranger types is no part of a key. */
function keysOf({ organization, username, address }: Attempt): { account: string; address: string; pair: string } {
  const block = addressBlock(address);
  return {
    account: digest(organization, username),
    address: digest(block),
    pair: digest(organization, username, block),
  };
}

const digest = (...parts: string[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
