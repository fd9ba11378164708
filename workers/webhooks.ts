/*
 * Sends webhooks. MongoDB knows what is to be sent; the queue in Redis only spreads the work:
 *
 * 1. A message of the event bus, the maintenance or an ended attempt calls `look`.
 * 2. It empties the outbox of the ended jobs into deliveries.
 * 3. Of each endpoint it puts the oldest deliveries that are due on the queue, at most four, and of each organization
 *    half as many as a worker has places. So neither one slow receiver nor ten of one organization hold all places, and
 *    Redis holds few entries. An entry that is lost in Redis is put there by the next look.
 * 4. A worker takes an entry and makes the attempt (src/webhooks/deliver.ts).
 */
import { Queue, Worker } from 'bullmq';
import { Types } from 'mongoose';
import type { App } from '../src/app.js';
import { WebhookDeliveryState, type WebhookDelivery } from '../models/index.js';
import type { Closers } from '../src/closers.js';
import { logError } from '../src/process/logger.js';
import { createSerialTask } from '../src/process/serial-task.js';
import { createDeliver } from '../src/webhooks/deliver.js';
import { emptyOutbox } from '../src/webhooks/outbox.js';
import { createWebhookSender } from '../src/webhooks/send-webhook.js';
import { pauseOnRefusal } from './pause-on-refusal.js';
import { runRetryDelayMs } from './queue-worker.js';

const queueName = 'webhooks';
/** Deliveries of one endpoint that are under way at the same time, in all workers together. */
const mostPerEndpoint = 4;

/** The parts of the app that the sending of webhooks uses. */
export type WebhookParts = Pick<
  App,
  'config' | 'logger' | 'models' | 'events' | 'protectionOf' | 'audit' | 'connectRedis'
>;

/** Looks for deliveries that are due. A call during a look causes one more. */
export type LookForWebhooks = () => Promise<void>;

/** Starts sending. The closers end it. */
export function startWebhooks(
  { config, logger, models, events, protectionOf, audit, connectRedis }: WebhookParts,
  closers: Closers,
): LookForWebhooks {
  const { webhooks } = config;
  const timeoutMs = webhooks.timeoutSeconds * 1_000;
  const deliver = createDeliver({
    models,
    protectionOf,
    audit,
    events,
    send: createWebhookSender({ timeoutMs, allowedHosts: webhooks.allowedHosts }),
    retrySeconds: webhooks.retrySeconds,
    timeoutMs,
    disableAfterHours: webhooks.disableAfterHours,
    logger,
  });
  const queueConnection = connectRedis('failing-fast');
  closers.add(() => queueConnection.disconnect());
  const workerConnection = connectRedis('waiting');
  closers.add(() => workerConnection.disconnect());
  const queue = new Queue(queueName, { connection: queueConnection, prefix: config.redisPrefix });
  closers.add(() => queue.close().catch(() => undefined));

  const looking = createSerialTask(async () => {
    await emptyOutbox(models);
    const endpoints = (await models.webhookDeliveries.distinct('endpoint', {
      state: WebhookDeliveryState.PENDING,
    })) as Types.ObjectId[];
    const ofOrganization = new Map<string, WebhookDelivery[]>();
    for (const endpoint of endpoints) {
      for (const delivery of await oldestOf(endpoint)) {
        const organization = delivery.organization.toHexString();
        const known = ofOrganization.get(organization);
        if (known) known.push(delivery);
        else ofOrganization.set(organization, [delivery]);
      }
    }
    for (const deliveries of ofOrganization.values()) {
      const due = dueAmong(deliveries, Math.max(1, Math.floor(webhooks.concurrency / 2)));
      if (due.length > 0) await queue.addBulk(due.map(entryOf));
    }
  });

  /** The oldest deliveries of an endpoint that are due or under way. */
  async function oldestOf(endpoint: Types.ObjectId): Promise<WebhookDelivery[]> {
    return models.webhookDeliveries
      .find({ state: WebhookDeliveryState.PENDING, endpoint, nextAttemptAt: { $lte: new Date() } })
      .sort({ nextAttemptAt: 1 })
      .limit(mostPerEndpoint)
      .lean<WebhookDelivery[]>();
  }

  const look = (): Promise<void> => looking.run();
  const lookNow = (): void => {
    look().catch((error: unknown) =>
      logError(logger, error, 'webhooks wait until the next look for them', { level: 'debug' }),
    );
  };
  // After the worker has closed: an attempt that ends causes a look.
  closers.add(() => looking.settled());
  const worker = new Worker(
    queueName,
    async ({ data }) => {
      if (await deliver(new Types.ObjectId((data as { deliveryId: string }).deliveryId))) lookNow();
    },
    {
      connection: workerConnection,
      prefix: config.redisPrefix,
      concurrency: webhooks.concurrency,
      runRetryDelay: runRetryDelayMs,
    },
  );
  closers.add(() => worker.close(workerConnection.status !== 'ready'));
  closers.add(pauseOnRefusal(worker));
  const redisError = (message: string) => (error: Error) =>
    logError(logger, error, `${message}: check that Redis can be reached`, { level: 'warn' });
  queue.on('error', redisError('error of the queue of webhooks'));
  worker.on('error', redisError('error of the worker of webhooks'));
  worker.on('failed', (_job, error) => logError(logger, error, 'a webhook could not be attempted', { level: 'warn' }));
  const stop = events.subscribe('webhooksDue', lookNow);
  closers.add(() => stop());
  return look;
}

/**
 * Chooses the deliveries of one organization that may begin, the oldest first.
 * @param most of the organization at the same time, in all workers together; those under way count among them
 */
function dueAmong(deliveries: readonly WebhookDelivery[], most: number, now = new Date()): readonly WebhookDelivery[] {
  const isUnderWay = ({ leaseUntil }: WebhookDelivery): boolean => leaseUntil !== undefined && leaseUntil > now;
  const free = most - deliveries.filter(isUnderWay).length;
  return deliveries
    .filter((delivery) => !isUnderWay(delivery))
    .sort((a, b) => a.nextAttemptAt.getTime() - b.nextAttemptAt.getTime())
    .slice(0, Math.max(0, free));
}

/** An entry of the queue. Its id has the number of the attempt, so that an entry is there once per attempt. */
const entryOf = ({ _id, attempts }: WebhookDelivery) => {
  const deliveryId = _id.toHexString();
  return {
    name: 'deliver',
    data: { deliveryId },
    opts: { jobId: `${deliveryId}-${attempts}`, removeOnComplete: true, removeOnFail: true },
  };
};
