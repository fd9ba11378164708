import type { FastifyInstance } from 'fastify';
import type { Redis } from 'ioredis';
import { createHmac } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { LRUCache } from 'lru-cache';
import type { App } from '../app.js';
import { qualifiedUsername, type Viewer } from '../auth/viewer.js';
import type { RateLimits } from '../config/config.js';
import { RateLimitedError, retrySeconds } from '../errors.js';
import { whenReady } from '../storage/redis.js';
import { createGroupCommit, type GroupCommit, type GroupResult } from '../storage/group-commit.js';
import { addressBlock, wideBlock } from '../net/address-block.js';
import { createCostBudget } from './cost-budget.js';
import { createCounts } from './counts.js';
import type { Caller } from './operation-context.js';

/** Length of a window, seconds. It begins with a caller's first request. */
const windowSeconds = 60;
/** The requests of an IPv6 /48 may be this many times those of one /64 in it. */
const wideFactor = 8;
/** Part of a user's requests that a process takes at once, so that few requests need a round trip to Redis. */
const portionOfRequests = 1 / 1_000;
/** Number of names whose keys are remembered, so that not every request computes one. */
const mostRemembered = 10_000;

/** Counts the requests of all API processes together in Redis. While Redis is away, each process counts its own. */
export interface RequestLimiter {
  /**
   * Counts one request: for the user when the caller is known, else for the address.
   * @throws RateLimitedError when there have been too many in this minute
   */
  count(caller: Pick<Caller, 'viewer'>, address: string): Promise<void>;
  /**
   * Moves a count from the address to the user; without a viewer it stays. A socket is counted for its address when it
   * is opened, and its user is known only later. So a thousand clients behind one address can connect again at once.
   * @throws RateLimitedError when the user has made too many requests in this minute
   */
  recount(caller: Pick<Caller, 'viewer'>, address: string): Promise<void>;
  /**
   * Charges the cost of one operation, or of one event of a subscription, to the user or address.
   * @throws RateLimitedError when the operations of this minute cost more than the budget
   */
  charge(caller: Pick<Caller, 'viewer'>, address: string, cost: number): Promise<void>;
}

/** Creates the limiter of a server, with a connection to Redis that is closed with the server. */
export async function startRequestLimiter(
  server: FastifyInstance,
  { config, connectRedis }: Pick<App, 'config' | 'connectRedis'>,
): Promise<RequestLimiter> {
  const redis = connectRedis('dispensable');
  server.addHook('onClose', async () => redis.disconnect());
  // Without this wait each process would count the first requests in its own memory.
  await whenReady(redis);
  return createRequestLimiter(redis, config.rateLimits, { prefix: config.redisPrefix, secret: config.secretKey! });
}

/**
 * @param redis a `dispensable` connection: no request waits for a Redis that is away
 * @param options.secret hashes the keys in Redis. Without it, a reader could find an address by trying all addresses.
 */
function createRequestLimiter(
  redis: Redis,
  limits: RateLimits,
  options: { readonly prefix: string; readonly secret: string },
): RequestLimiter {
  const keyOf = createKeys(options.secret);
  const ofUser = createCounter(
    redis,
    limits.perUser,
    `${options.prefix}:rate:user`,
    'Too many requests of this user or key',
    Math.max(1, Math.floor(limits.perUser * portionOfRequests)),
  );
  const ofAddress = createCounter(
    redis,
    limits.perAddress,
    `${options.prefix}:rate:address`,
    'Too many requests without a valid token from this address',
  );
  const ofWideBlock = createCounter(
    redis,
    limits.perAddress * wideFactor,
    `${options.prefix}:rate:network`,
    'Too many requests without a valid token from this network',
  );
  const budget = createBudget(redis, limits.costPerUser, `${options.prefix}:cost`);
  const userKey = (viewer: Viewer): string => keyOf(qualifiedUsername(viewer));
  const addressKey = (address: string): string => keyOf(addressBlock(address));
  const wideKey = (address: string): string | undefined => {
    const block = wideBlock(address);
    return block && keyOf(block);
  };

  async function countAddress(address: string): Promise<void> {
    await ofAddress.count(addressKey(address));
    const wide = wideKey(address);
    if (wide) await ofWideBlock.count(wide);
  }
  return {
    count: ({ viewer }, address) => (viewer ? ofUser.count(userKey(viewer)) : countAddress(address)),
    async recount({ viewer }, address) {
      if (!viewer) return;
      ofAddress.giveBack(addressKey(address));
      const wide = wideKey(address);
      if (wide) ofWideBlock.giveBack(wide);
      await ofUser.count(userKey(viewer));
    },
    charge: ({ viewer }, address, cost) => budget(viewer ? userKey(viewer) : addressKey(address), cost),
  };
}

/** The budget of costs, which users and addresses have alike. */
function createBudget(redis: Redis, points: number, keyPrefix: string): (key: string, cost: number) => Promise<void> {
  const limiter = createLimiter(redis, points, keyPrefix);
  return createCostBudget(points, async (key, taken) => {
    try {
      return (await limiter.consume(key, taken)).msBeforeNext;
    } catch (rejection) {
      if (!(rejection instanceof RateLimiterRes)) throw rejection;
      const seconds = retrySeconds(rejection.msBeforeNext);
      throw new RateLimitedError(
        `The operations of this user or key cost too much, at most ${points} per minute: ask for fewer rows or fields, ` +
          `or try again in ${seconds} s.`,
        seconds,
      );
    }
  });
}

/** Counts in Redis. While Redis is away, it counts in memory. */
const createLimiter = (redis: Redis, points: number, keyPrefix: string): RateLimiterRedis =>
  new RateLimiterRedis({
    storeClient: redis,
    keyPrefix,
    points,
    duration: windowSeconds,
    rejectIfRedisNotReady: true,
    // A caller above the limit is refused without another call to Redis.
    inMemoryBlockOnConsumed: points + 1,
    insuranceLimiter: new RateLimiterMemory({ keyPrefix, points, duration: windowSeconds }),
  });

interface Counter {
  /** @throws RateLimitedError */
  count: GroupCommit<string, void>;
  giveBack(key: string): void;
}

/** Requests of a key that are counted in Redis, and that this process may let pass until the window ends. */
interface Portion {
  left: number;
  /** Milliseconds since 1970. */
  readonly endsAt: number;
}

/**
 * Counts requests that arrive together in one round trip. So counting costs almost nothing under load.
 * @param portion requests that are counted at once at least. What the process does not let pass in this window is lost
 */
function createCounter(redis: Redis, points: number, keyPrefix: string, refusal: string, portion = 1): Counter {
  const limiter = createLimiter(redis, points, keyPrefix);
  const portions = new LRUCache<string, Portion>({ max: mostRemembered });

  /** Requests that wait until they are counted. A later one of the same key waits behind them, and does not overtake. */
  const waiting = createCounts();

  /** Lets requests pass that are counted already. */
  function spend(key: string, requests: number): boolean {
    const known = portions.get(key);
    if (!known || known.left < requests || known.endsAt <= Date.now()) return false;
    known.left -= requests;
    return true;
  }

  /** Counts some requests of one key. @returns how many of them may pass, and the time until the window ends */
  async function consume(
    key: string,
    requests: number,
  ): Promise<{ readonly passing: number; readonly retryAfterMs: number }> {
    try {
      const { msBeforeNext } = await limiter.consume(key, requests);
      return { passing: requests, retryAfterMs: msBeforeNext };
    } catch (rejection) {
      if (!(rejection instanceof RateLimiterRes)) throw rejection;
      // For a key that is blocked in memory the limiter reports no consumed points: then every request is too many.
      const tooMany = rejection.consumedPoints > points ? rejection.consumedPoints - points : requests;
      return { passing: Math.max(requests - tooMany, 0), retryAfterMs: rejection.msBeforeNext };
    }
  }

  /** Counts the requests of one key that arrived together, and keeps the rest of the portion. */
  async function take(key: string, requests: number): ReturnType<typeof consume> {
    if (spend(key, requests)) return { passing: requests, retryAfterMs: 0 };
    const taken = await consume(key, Math.max(requests, portion));
    const rest = taken.passing - requests;
    const before = portions.get(key);
    const known = before && before.endsAt > Date.now() ? before.left : 0;
    if (rest > 0) portions.set(key, { left: known + rest, endsAt: Date.now() + taken.retryAfterMs });
    return taken;
  }

  const countTogether = createGroupCommit<string, void>(
    async (keys) => {
      const requests = new Map<string, number>();
      for (const key of keys) requests.set(key, (requests.get(key) ?? 0) + 1);
      const taken = new Map(
        await Promise.all([...requests].map(async ([key, count]) => [key, await take(key, count)] as const)),
      );
      const passed = new Map<string, number>();
      return keys.map((key): GroupResult<void> => {
        const { passing, retryAfterMs } = taken.get(key)!;
        const before = passed.get(key) ?? 0;
        passed.set(key, before + 1);
        if (before < passing) return { value: undefined };
        const seconds = retrySeconds(retryAfterMs);
        return {
          error: new RateLimitedError(`${refusal}, at most ${points} per minute: try again in ${seconds} s.`, seconds),
        };
      });
    },
    { gather: () => turn() },
  );
  return {
    count(key) {
      if (waiting.of(key) === 0 && spend(key, 1)) return counted;
      waiting.add(key, 1);
      return countTogether(key).finally(() => waiting.add(key, -1));
    },
    giveBack(key) {
      // A point that is not given back does no harm: it expires with the window.
      limiter.reward(key, 1).catch(() => undefined);
    },
  };
}

const counted = Promise.resolve();

/** Makes keys that do not show which user or address they count. */
function createKeys(secret: string): (name: string) => string {
  const remembered = new LRUCache<string, string>({ max: mostRemembered });
  return (name) => {
    const known = remembered.get(name);
    if (known !== undefined) return known;
    const key = createHmac('sha256', secret).update(`rate limit of ${name}`).digest('base64url').slice(0, 22);
    remembered.set(name, key);
    return key;
  };
}
