import { RedisPubSub } from 'graphql-redis-subscriptions';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { EventMessage, Topic, Topics } from './topics.js';
import { logError } from '../process/logger.js';

/**
 * Milliseconds between two repetitions of the subscription. The subscriber only listens, so only an answer shows that its
 * connection still works. Without one the connection is made again. A subscription that Redis refused is made when it
 * lets it. The server is asked for its role at the same time.
 */
const heartbeatMs = 5_000;

type Listener<T extends Topic> = (payload: Topics[T]) => void;

/**
 * Carries events between the processes of a deployment. An event arrives at most once. A subscriber that must not miss
 * a change reads MongoDB.
 */
export interface EventBus {
  /**
   * Publishes an event. It never throws and never waits. A lost event delays what a subscriber sees; no result is lost.
   */
  publish<T extends Topic>(topic: T, payload: Topics[T]): void;
  /**
   * Calls `listener` for every event of the topic, from this process and all others.
   * @returns a function that ends the subscription
   */
  subscribe<T extends Topic>(topic: T, listener: Listener<T>): () => void;
  /**
   * Calls `listener` when events may have been missed, i.e. after the connection to Redis came back.
   * @returns a function that stops the calls
   */
  onGap(listener: () => void): () => void;
  close(): Promise<void>;
}

/** Name of the Redis channel of a deployment. */
export const eventChannel = (redisPrefix: string): string => `${redisPrefix}:events`;

/**
 * Publishes one event without an event bus, for a process that does nothing else.
 * @throws the error of Redis
 */
export async function publishEvent<T extends Topic>(
  redis: Redis,
  channel: string,
  topic: T,
  payload: Topics[T],
): Promise<void> {
  await redis.publish(channel, JSON.stringify([{ topic, payload } as EventMessage]));
}

interface EventBusDependencies {
  /** Two connections that only the bus uses; it closes both. `subscriber` never subscribes again on its own. */
  readonly publisher: Redis;
  readonly subscriber: Redis;
  /** Name of the Redis channel. */
  readonly channel: string;
  /** Waits a short time for a connection. It resolves to false when the connection is not ready then. */
  readonly whenReady: (redis: Redis) => Promise<boolean>;
  /** Called every few seconds with the time of a round trip to Redis, seconds. */
  readonly onRoundTrip: (seconds: number) => void;
  readonly logger: Logger;
}

/**
 * Creates an event bus. It waits for Redis for a short time only. Each process has one Redis channel, and fans the events
 * out in memory. The library alone would not do: graphql-redis-subscriptions searches its list of subscribers at every
 * unsubscribe (graphql-redis-subscriptions#295), which is slow with thousands of clients.
 */
export async function createEventBus({
  publisher,
  subscriber,
  channel,
  whenReady,
  onRoundTrip,
  logger,
}: EventBusDependencies): Promise<EventBus> {
  const pubSub = new RedisPubSub({ publisher, subscriber });
  const listeners = new Map<Topic, Set<(payload: never) => void>>();
  const gapListeners = new Set<() => void>();
  let closed = false;

  const deliver = (messages: EventMessage[]): void => {
    for (const { topic, payload } of messages) {
      for (const listener of listeners.get(topic) ?? []) listener(payload as never);
    }
  };
  /** Whether events may have been missed since the last subscription that Redis took. */
  let hasGap = false;
  let withLibrary: Promise<unknown> | undefined;
  /** Subscribes, also when it has subscribed before: that changes nothing, and its answer shows that nothing is missed. */
  async function subscribe(): Promise<void> {
    // Subscribes without the library first. When Redis refuses a subscription of the library, the library also rejects
    // a promise that it never catches, which ends the process.
    await subscriber.subscribe(channel);
    await (withLibrary ??= pubSub.subscribe(channel, deliver));
    if (!hasGap) return;
    hasGap = false;
    gapListeners.forEach((listener) => listener());
  }
  // Without Redis the process starts all the same, and subscribes when it comes.
  if (await whenReady(subscriber)) await subscribe();
  // ioredis could subscribe again on its own. But it never catches that promise: a Redis that refuses it, or a close
  // that comes before the answer, would end the process.
  subscriber.on('ready', () => {
    hasGap = true;
    subscribe().catch((error: unknown) => {
      if (!closed) logError(logger, error, 'no subscription to events: check that Redis can be reached');
    });
  });

  /** Leaves a Redis that was demoted. It takes and delivers events, but other processes use the new primary. */
  async function leaveReplica(): Promise<void> {
    const asked = performance.now();
    const [role] = (await publisher.role()) as [string];
    onRoundTrip((performance.now() - asked) / 1_000);
    if (role !== 'slave') return;
    publisher.disconnect(true);
    subscriber.disconnect(true);
  }
  const heartbeat = setInterval(() => {
    if (subscriber.status === 'ready') subscribe().catch(() => undefined);
    if (publisher.status === 'ready') leaveReplica().catch(() => undefined);
  }, heartbeatMs);
  heartbeat.unref();

  /** Events that wait to be sent. Those of one turn of the event loop travel as one message. */
  let outgoing: EventMessage[] = [];
  function flush(): void {
    const messages = outgoing;
    outgoing = [];
    // Drops the events while Redis is away. Subscribers read MongoDB when Redis is back.
    if (closed || publisher.status !== 'ready') return;
    pubSub.publish(channel, messages).catch((error: unknown) => {
      logError(logger, error, 'events not published', { level: 'warn', events: messages.length });
    });
  }

  return {
    publish(topic, payload) {
      if (outgoing.length === 0) setImmediate(flush);
      outgoing.push({ topic, payload } as EventMessage);
    },
    subscribe(topic, listener) {
      const ofTopic = listeners.get(topic) ?? new Set();
      listeners.set(topic, ofTopic);
      ofTopic.add(listener as (payload: never) => void);
      return () => void ofTopic.delete(listener as (payload: never) => void);
    },
    onGap(listener) {
      gapListeners.add(listener);
      return () => void gapListeners.delete(listener);
    },
    async close() {
      if (closed) return;
      flush();
      closed = true;
      clearInterval(heartbeat);
      listeners.clear();
      gapListeners.clear();
      // Does not call pubSub.close(): it never catches the promises of its own unsubscribes, and so crashes a closing
      // process. `quit` sends the last message first. Without a connection, `quit` would wait for one.
      if (publisher.status === 'ready') await publisher.quit().catch(() => undefined);
      publisher.disconnect();
      subscriber.disconnect();
    },
  };
}
