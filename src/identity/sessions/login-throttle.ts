import type { Redis } from 'ioredis';
import { createHash } from 'node:crypto';
import {
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
  RLWrapperTimeouts,
  type RateLimiterAbstract,
} from 'rate-limiter-flexible';
import { RateLimitedError, retrySeconds } from '../../errors.js';
import { withinTime } from '../../process/within-time.js';
import { addressBlock, wideBlock } from '../../net/address-block.js';

/**
 * Largest number of attempts (`points`) per window (`duration`, in seconds). A window begins with its first attempt.
 * - pair: one address that guesses at one account is stopped soon.
 * - account: many addresses that guess at one account are stopped later.
 * - address: one address that guesses at many accounts is stopped later.
 * - network: so is an IPv6 /48, which holds 65,536 of the blocks that count as one address.
 * The last three never stop an account at an address where it has logged in before. So an attacker at another address
 * cannot lock out a user at such an address. The idea comes from OWASP's device cookies, with the address in place of
 * the cookie.
 * https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
 */
export const loginLimits = {
  pair: { points: 10, duration: 15 * 60 },
  account: { points: 50, duration: 60 * 60 },
  address: { points: 100, duration: 15 * 60 },
  network: { points: 800, duration: 15 * 60 },
} as const;

/** Time for which an address stays known for an account that has logged in there. Seconds. */
const familiarSeconds = 30 * 86_400;
/** Redis counts as away when it does not answer within this time. Milliseconds. */
const redisTimeoutMs = 250;

/** A login attempt: the claimed account and the caller's address. Both names are as given, and may not exist. */
export interface Attempt {
  readonly organization: string;
  readonly username: string;
  readonly address: string;
}

/**
 * The refusal of an attempt. Only the first refusal per window has `firstInWindow`: the audit trail records no others.
 */
export interface ThrottledError extends RateLimitedError {
  readonly firstInWindow: boolean;
}

/** Counts attempts in Redis for all processes together. While Redis is away, each process counts in its own memory. */
export interface LoginThrottle {
  /** Counts an attempt before its password is checked. @throws ThrottledError when there were too many */
  attempt(attempt: Attempt): Promise<void>;
  /** Gives an attempt back whose password could not be checked, because a database was away. */
  giveBack(attempt: Attempt): Promise<void>;
  /**
   * Called after a correct password. It resets the counts of the pair and the account, gives the address one attempt
   * back, and remembers the address as known for this account.
   */
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
  const networks = limiter('network');
  const familiarKey = (pair: string): string => `${keyPrefix}:login-familiar:${pair}`;

  async function isFamiliar(pair: string): Promise<boolean> {
    return redis.status === 'ready' && (await orAway(redis.exists(familiarKey(pair)))) === 1;
  }

  /** Gives one attempt back to the address and its network. */
  const giveBackAddress = ({ address, network }: ReturnType<typeof keysOf>) => [
    addresses.reward(address),
    network && networks.reward(network),
  ];

  return {
    async attempt(attempt) {
      const { account, address, network, pair } = keysOf(attempt);
      // The pair is counted first. A refused attempt must not use up the points of the account and of the address.
      const ofPair = await consume(pairs, pair);
      if (ofPair) throw throttled([ofPair], loginLimits.pair.points);
      const refused = await Promise.all([
        consume(accounts, account),
        consume(addresses, address),
        network && consume(networks, network),
      ]);
      const limits = [loginLimits.account, loginLimits.address, loginLimits.network];
      const exceeded = refused.flatMap((result, index) => (result ? [{ result, limit: limits[index]! }] : []));
      if (exceeded.length > 0 && !(await isFamiliar(pair)))
        throw throttled(
          exceeded.map(({ result }) => result),
          exceeded[0]!.limit.points,
        );
    },

    async giveBack(attempt) {
      const keys = keysOf(attempt);
      await Promise.allSettled([pairs.reward(keys.pair), accounts.reward(keys.account), ...giveBackAddress(keys)]);
    },

    async succeeded(attempt) {
      const keys = keysOf(attempt);
      await Promise.allSettled([
        pairs.delete(keys.pair),
        accounts.delete(keys.account),
        ...giveBackAddress(keys),
        redis.status === 'ready' ? orAway(redis.set(familiarKey(keys.pair), '1', 'EX', familiarSeconds)) : undefined,
      ]);
    },
  };
}

/** Counts one attempt. @returns the exceeded limit, or undefined when attempts are left */
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
  const seconds = Math.max(...exceeded.map(({ msBeforeNext }) => retrySeconds(msBeforeNext)));
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

/** Hashed keys: Redis then holds no names or addresses, and text typed by an attacker does not become part of a key. */
function keysOf({ organization, username, address }: Attempt) {
  const block = addressBlock(address);
  const wide = wideBlock(address);
  return {
    account: digest(organization, username),
    address: digest(block),
    network: wide && digest(wide),
    pair: digest(organization, username, block),
  };
}

const digest = (...parts: string[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
