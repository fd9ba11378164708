/*
 * Turns: processes that append to the same end take turns, as long as they get in each other's way.
 *
 * An end is the last number of a chain or a log of an organization. Each process appends behind the end that it knows, and
 * a unique index refuses a number that is taken. That costs nothing where one process appends. Where several do, most
 * tries would be in vain, and all would be slow.
 *
 * - A process that was refused asks for a turn before each append of the next seconds. A turn is a key in Redis.
 * - A turn is a courtesy, not a lock: the unique index alone keeps the order right. Without Redis, or when a turn does not
 *   come in time, the process appends all the same.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';

/** Gives turns to the processes of a deployment. */
export interface Turns {
  /** Waits for a turn, for a short time only. Never throws. @returns a function that ends the turn */
  take(name: string): Promise<() => void>;
}

/** Turns for a process that has no others beside it. */
export const noTurns: Turns = { take: () => Promise.resolve(() => undefined) };

/** Time after which the turn of a process that died is over, milliseconds. An append takes some milliseconds. */
const longestTurnMs = 500;
/** Period at which a process asks for a turn that another one has, milliseconds. */
const askMs = 2;
/** Time that a process leaves to the others after a turn of its own, milliseconds. They ask within this time. */
const pauseMs = 2 * askMs;

/** Removes the key only if it is still ours: after `longestTurnMs` another process may have it. */
const endScript = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";

/** @param redis a connection whose commands fail at once in an outage. The caller closes it */
export function createTurns(redis: Redis, prefix: string): Turns {
  const endedAt = new LRUCache<string, number>({ max: 10_000 });
  return {
    async take(name) {
      const begun = performance.now();
      const pause = (endedAt.get(name) ?? -Infinity) + pauseMs - begun;
      if (pause > 0) await delay(pause);
      const [key, token] = [`${prefix}:turn:${name}`, randomUUID()];
      while (performance.now() - begun < longestTurnMs) {
        const given = await redis.set(key, token, 'PX', longestTurnMs, 'NX').catch(() => 'away' as const);
        if (given === 'away') break;
        if (given === 'OK')
          return () => {
            endedAt.set(name, performance.now());
            redis.eval(endScript, 1, key, token).catch(() => undefined);
          };
        await delay(askMs);
      }
      return () => undefined;
    },
  };
}

/** One append, from its first try to the last. */
interface AppendTurn {
  /** Waits for the turn if processes are in each other's way. Further calls do nothing. */
  take(): Promise<void>;
  /** Notes that another process had taken the number. */
  refused(): void;
  /** Tells whether this process alone appends, so that the end that it wrote is still the end at its next append. */
  isAlone(): boolean;
  end(): void;
}

/** Time for which a process takes turns after it was refused, milliseconds. */
const contestedMs = 5_000;

/**
 * Makes the turns of one kind of end.
 * @returns begins an append. `key` is the organization's id
 */
export function createAppendTurns(turns: Turns, kind: string): (key: string) => AppendTurn {
  const contested = new LRUCache<string, true>({ max: 1_000, ttl: contestedMs });
  return (key) => {
    let endTurn: (() => void) | undefined;
    return {
      async take() {
        if (!endTurn && contested.has(key)) endTurn = await turns.take(`${kind}:${key}`);
      },
      refused: () => void contested.set(key, true),
      isAlone: () => !contested.has(key),
      end: () => endTurn?.(),
    };
  };
}
