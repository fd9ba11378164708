import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';

/** Priorities of jobs: 0 is first, 10 is last. */
const priorities = Array.from({ length: 11 }, (_, priority) => priority);

/** Distance of two priorities in BullMQ's sorted set of waiting entries. The lower part counts the entries. */
const priorityStep = 2 ** 32;

/** The waiting entries of one queue and priority. */
export interface QueueDepth {
  readonly kind: string;
  readonly priority: number;
  readonly entries: number;
  /** Seconds since the oldest of them was added. 0 without any. */
  readonly oldestSeconds: number;
}

/**
 * Counts the waiting entries of the queues, and finds the age of the oldest. It costs the same for any number of them.
 * https://github.com/taskforcesh/bullmq/blob/master/src/commands/includes/getPriorityScore.lua
 * @param offset the priority in BullMQ of a job with priority 0
 * @throws an error of Redis
 */
export async function readQueueDepths(
  redis: Redis,
  queues: Readonly<Record<string, Pick<Queue, 'toKey'>>>,
  offset: number,
): Promise<QueueDepth[]> {
  const places = Object.entries(queues).flatMap(([kind, queue]) =>
    priorities.map((priority) => ({ kind, queue, priority })),
  );
  return Promise.all(
    places.map(async ({ kind, queue, priority }) => {
      const key = queue.toKey('prioritized');
      const lowest = (priority + offset) * priorityStep;
      const highest = `(${lowest + priorityStep}`;
      const [entries, [oldest]] = await Promise.all([
        redis.zcount(key, lowest, highest),
        redis.zrangebyscore(key, lowest, highest, 'LIMIT', 0, 1),
      ]);
      const addedAt = oldest === undefined ? null : await redis.hget(queue.toKey(oldest), 'timestamp');
      const oldestSeconds = addedAt === null ? 0 : Math.max(0, (Date.now() - Number(addedAt)) / 1_000);
      return { kind, priority, entries, oldestSeconds };
    }),
  );
}
