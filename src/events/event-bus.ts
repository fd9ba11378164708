import { RedisPubSub } from 'graphql-redis-subscriptions';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { EventMessage, Topic, Topics } from './topics.js';
import { logError } from '../process/logger.js';

/** How often the subscriber, which only listens, asks whether Redis is still there: a connection that broke without a word is then made anew. Milliseconds. */
const heartbeatMs = 5_000;

type Listener<T extends Topic> = (payload: Topics[T]) => void;

/** Carries events between the processes of a deployment. At most once: who must not miss a change reads MongoDB. */
export interface EventBus {
  /** Never throws and never waits: an event that is lost costs a subscriber a moment, not a result. */
  publish<T extends Topic>(topic: T, payload: Topics[T]): void;
  /** Calls `listener` for every event of the topic, from this process and all others. Returns the way out. */
  subscribe<T extends Topic>(topic: T, listener: Listener<T>): () => void;
  /** Calls `listener` whenever events may have been missed, i.e. after the connection to Redis came back. */
  onGap(listener: () => void): () => void;
  close(): Promise<void>;
}

interface EventBusDependencies {
  /** A connection of its own, with maxRetriesPerRequest null, as `subscriber`. The bus closes both. */
  readonly publisher: Redis;
  readonly subscriber: Redis;
  /** Name of the Redis channel. */
  readonly channel: string;
  readonly logger: Logger;
}

/**
 * One Redis channel per process, fanned out in memory: graphql-redis-subscriptions searches its list of subscribers at
 * every unsubscribe (graphql-redis-subscriptions#295), which thousands of clients must not feel.
 */
export async function createEventBus({
  publisher,
  subscriber,
  channel,
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
  // First without the library: a subscription that Redis refuses there also rejects a promise that the library never
  // catches, which ends the process. A second subscription to the same channel changes nothing.
  await subscriber.subscribe(channel);
  await pubSub.subscribe(channel, deliver);
  // ioredis subscribes again by itself after 'ready'; the answer to a ping queued behind that says it is done.
  subscriber.on('ready', () => {
    subscriber.ping().then(
      () => gapListeners.forEach((listener) => listener()),
      () => undefined,
    );
  });

  const heartbeat = setInterval(() => {
    if (subscriber.status === 'ready') subscriber.ping().catch(() => undefined);
  }, heartbeatMs);
  heartbeat.unref();

  /** Events of one turn of the event loop travel as one message. */
  let outgoing: EventMessage[] = [];
  function flush(): void {
    const messages = outgoing;
    outgoing = [];
    // While Redis is away events are dropped, not queued up: subscribers read MongoDB when it is back.
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
      // Not pubSub.close(): it never catches the promises of its own unsubscribes and crashes a closing process.
      // quit lets the last message out; without a connection it would wait for one.
      if (publisher.status === 'ready') await publisher.quit().catch(() => undefined);
      publisher.disconnect();
      subscriber.disconnect();
    },
  };
}
