/** Covers src/events/event-bus.ts. */

import { once } from 'node:events';
import { pino } from 'pino';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createEventBus, eventChannel } from '../../src/events/event-bus.js';
import { connectRedis, whenReady } from '../../src/storage/redis.js';
import { proxyTo } from '../support/cuttable-proxy.js';
import { namespace } from '../support/namespace.js';
import { ownRedis } from '../support/own-redis.js';

/** A bus over a Redis, its connections, and the lines that it logs. */
async function startBus(url: string) {
  const lines: string[] = [];
  const logger = pino({}, { write: (line: string) => void lines.push(line) });
  const publisher = connectRedis(url, 'waiting', logger);
  const subscriber = connectRedis(url, 'waiting', logger);
  const channel = eventChannel(namespace().redisPrefix);
  const bus = await createEventBus({ publisher, subscriber, channel, whenReady, onRoundTrip: () => undefined, logger });
  onTestFinished(() => bus.close());
  return { bus, publisher, subscriber, channel, lines };
}

/** Listens to promises that are rejected and never caught, which end a process. */
function unheardRejections(): unknown[] {
  const unheard: unknown[] = [];
  const listen = (error: unknown): void => void unheard.push(error);
  process.on('unhandledRejection', listen);
  onTestFinished(() => void process.off('unhandledRejection', listen));
  return unheard;
}

test('a bus that closes before Redis has answered its second subscription leaves no rejection behind', async () => {
  const proxy = await proxyTo(inject('redisUrl'));
  onTestFinished(() => proxy.close());
  const { bus, publisher, subscriber, lines } = await startBus(proxy.url);
  const unheard = unheardRejections();
  publisher.disconnect();
  await once(publisher, 'end');
  proxy.cut();
  proxy.mend();
  await once(subscriber, 'ready');
  // All in one turn of the event loop: no answer can come in between.
  void bus.close();
  proxy.cut();
  await once(subscriber, 'end');
  await new Promise((resolve) => setImmediate(resolve));
  expect(unheard).toEqual([]);
  expect(lines.join()).not.toContain('no subscription to events');
});

test('a bus whose subscription Redis refuses says so, and subscribes when it is let', async () => {
  const { url, operator } = await ownRedis();
  const { bus, channel, lines } = await startBus(url);
  const unheard = unheardRejections();
  // Redis ends the connection of a subscriber that may not listen any more, and refuses the next subscription.
  await operator.call('ACL', 'SETUSER', 'default', 'resetchannels');
  await expect.poll(() => lines.join()).toContain('no subscription to events');
  expect(await operator.pubsub('CHANNELS')).toEqual([]);
  const gap = new Promise<void>((resolve) => onTestFinished(bus.onGap(resolve)));
  await operator.call('ACL', 'SETUSER', 'default', 'allchannels');
  await gap;
  expect(await operator.pubsub('CHANNELS')).toEqual([channel]);
  const told = new Promise((resolve) => onTestFinished(bus.subscribe('credentialsRevoked', resolve)));
  bus.publish('credentialsRevoked', { epoch: 7 });
  expect(await told).toEqual({ epoch: 7 });
  expect(unheard).toEqual([]);
});
