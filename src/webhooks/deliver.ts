/*
 * One attempt of one delivery:
 *
 * 1. The delivery is claimed with a lease, so that two workers never make the same attempt.
 * 2. The message is signed with the present secret, and for a time after a rotation with the one before it too.
 * 3. It is sent, and the outcome is stored: DELIVERED, the time of the next attempt, or FAILED after the last one.
 * 4. The endpoint keeps the time since which all attempts fail. After some days of failures it is disabled, which the
 *    audit trail flags.
 */
import type { Types } from 'mongoose';
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import {
  WebhookDeliveryState,
  WebhookDisabledReason,
  WebhookFailure,
  type Models,
  type WebhookDelivery,
  type WebhookEndpoint,
} from '../../models/index.js';
import type { AuditTrail } from '../audit/audit-trail.js';
import type { EventBus } from '../events/event-bus.js';
import { workerUsername } from '../identity/users/username.js';
import { defined } from '../process/defined.js';
import type { ProtectionOf } from '../protection/protection.js';
import { readEndpoints } from './endpoint-secrets.js';
import { bodyOf } from './message.js';
import type { SendWebhook, WebhookOutcome } from './send-webhook.js';
import { signatures } from './signature.js';

/** Time that a lease has in addition to the time limit of a request, milliseconds. */
const leaseSpareMs = 15_000;
/** Longest wait that a receiver may ask for by Retry-After, milliseconds. */
const longestRetryAfterMs = 86_400_000;

interface DeliverDependencies {
  readonly models: Pick<Models, 'webhookEndpoints' | 'webhookDeliveries'>;
  readonly protectionOf: ProtectionOf;
  readonly audit: AuditTrail;
  readonly events: EventBus;
  readonly send: SendWebhook;
  /** Seconds before each further attempt. Their number is that of the retries. */
  readonly retrySeconds: readonly number[];
  readonly timeoutMs: number;
  /** Hours of failures after which an endpoint is disabled. */
  readonly disableAfterHours: number;
  readonly logger: Logger;
}

/**
 * Makes one attempt, if it is due.
 * @returns false when there was none to make: another worker makes it, or the delivery has ended
 */
type Deliver = (delivery: Types.ObjectId) => Promise<boolean>;

export function createDeliver(dependencies: DeliverDependencies): Deliver {
  const { models, protectionOf, audit, events, send, retrySeconds, timeoutMs, disableAfterHours, logger } =
    dependencies;
  const { webhookDeliveries, webhookEndpoints } = models;

  async function claim(_id: Types.ObjectId): Promise<WebhookDelivery | null> {
    const now = new Date();
    return webhookDeliveries
      .findOneAndUpdate(
        {
          _id,
          state: WebhookDeliveryState.PENDING,
          nextAttemptAt: { $lte: now },
          $or: [{ leaseUntil: { $exists: false } }, { leaseUntil: { $lte: now } }],
        },
        {
          $set: { leaseUntil: new Date(now.getTime() + timeoutMs + leaseSpareMs), lastAttemptAt: now },
          $inc: { attempts: 1 },
        },
        { returnDocument: 'after' },
      )
      .lean<WebhookDelivery>();
  }

  /** Stores an outcome, unless the lease has passed to another worker. */
  async function store({ _id, leaseUntil }: WebhookDelivery, set: Partial<WebhookDelivery>): Promise<void> {
    const absent = (['responseStatus', 'failure'] as const).filter((field) => set[field] === undefined);
    await webhookDeliveries.updateOne(
      { _id, leaseUntil },
      { $set: defined(set), $unset: Object.fromEntries(['leaseUntil', ...absent].map((field) => [field, ''])) },
    );
  }

  /** @throws ServiceUnavailableError when that cannot be recorded: the endpoint stays as it is */
  async function disable({ _id, organization }: WebhookEndpoint, reason: WebhookDisabledReason): Promise<void> {
    await audit.record(
      {
        organizationId: organization.toHexString(),
        username: workerUsername,
        origin: { requestId: randomUUID(), address: 'local' },
      },
      {
        action: 'webhook:disable',
        outcome: 'ALLOWED',
        subject: { kind: 'WEBHOOK_ENDPOINT', id: _id.toHexString() },
        flagged: true,
      },
    );
    await webhookEndpoints.updateOne(
      { _id, disabledAt: { $exists: false } },
      { $set: { disabledAt: new Date(), disabledReason: reason }, $unset: { catchUpAt: '' } },
    );
    await failPending(models, _id);
    events.publish('webhookEndpointsChanged', {});
    logger.warn(
      { organizationId: organization.toHexString(), endpointId: _id.toHexString(), reason },
      'an endpoint of webhooks was disabled',
    );
  }

  async function noteHealth(endpoint: WebhookEndpoint, { status, failure }: WebhookOutcome): Promise<void> {
    const { _id, failingSince } = endpoint;
    if (!failure) {
      if (failingSince) await webhookEndpoints.updateOne({ _id }, { $unset: { failingSince: '' } });
      return;
    }
    const now = Date.now();
    if (!failingSince)
      await webhookEndpoints.updateOne(
        { _id, failingSince: { $exists: false } },
        { $set: { failingSince: new Date(now) } },
      );
    if (status === 410) await disable(endpoint, WebhookDisabledReason.GONE);
    else if (failingSince && failingSince.getTime() <= now - disableAfterHours * 3_600_000)
      await disable(endpoint, WebhookDisabledReason.FAILING);
  }

  /** The time of the next attempt, with a jitter of a tenth. Undefined after the last one. */
  function nextAttempt(attempts: number, retryAfterSeconds = 0): Date | undefined {
    const seconds = retrySeconds[attempts - 1];
    if (seconds === undefined) return undefined;
    const askedMs = Math.min(retryAfterSeconds * 1_000, longestRetryAfterMs);
    return new Date(Date.now() + Math.max(seconds * 1_000 * (0.9 + Math.random() / 5), askedMs));
  }

  return async (id) => {
    const delivery = await claim(id);
    if (!delivery) return false;
    const endpoint = await webhookEndpoints.findById(delivery.endpoint).lean<WebhookEndpoint>();
    if (!endpoint || endpoint.disabledAt) {
      await store(delivery, { state: WebhookDeliveryState.FAILED, failure: WebhookFailure.DISABLED });
      return true;
    }
    const now = new Date();
    const [secrets] = await readEndpoints(protectionOf(endpoint.organization), [endpoint]);
    const { url, secret, previousSecret } = secrets!;
    const signing = [secret, ...(previousSecret && endpoint.previousSecretUntil! > now ? [previousSecret] : [])];
    const message = {
      id: delivery._id.toHexString(),
      timestamp: Math.floor(now.getTime() / 1_000),
      body: bodyOf(delivery),
    };
    const outcome = await send({
      url,
      body: message.body,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'RiskGraph-Webhooks/1',
        'webhook-id': message.id,
        'webhook-timestamp': String(message.timestamp),
        'webhook-signature': signatures(signing, message),
      },
    });
    const { status: responseStatus, failure } = outcome;
    const next = failure && nextAttempt(delivery.attempts, outcome.retryAfterSeconds);
    const state = !failure
      ? WebhookDeliveryState.DELIVERED
      : next
        ? WebhookDeliveryState.PENDING
        : WebhookDeliveryState.FAILED;
    await store(delivery, { state, responseStatus, failure, ...(next && { nextAttemptAt: next }) });
    await noteHealth(endpoint, outcome);
    return true;
  };
}

/** Ends the deliveries that wait for an endpoint which was disabled. They can be replayed. */
async function failPending(
  { webhookDeliveries }: Pick<Models, 'webhookDeliveries'>,
  endpoint: Types.ObjectId,
): Promise<void> {
  await webhookDeliveries.updateMany(
    { endpoint, state: WebhookDeliveryState.PENDING, leaseUntil: { $exists: false } },
    { $set: { state: WebhookDeliveryState.FAILED, failure: WebhookFailure.DISABLED } },
  );
}

/** Deletes deliveries about jobs that ended before the retention time, except those that wait. @returns how many */
export async function expireDeliveries(
  { webhookDeliveries }: Pick<Models, 'webhookDeliveries'>,
  retentionDays: number,
): Promise<number> {
  const before = new Date(Date.now() - retentionDays * 86_400_000);
  const { deletedCount } = await webhookDeliveries.deleteMany({
    occurredAt: { $lt: before },
    state: { $ne: WebhookDeliveryState.PENDING },
  });
  return deletedCount;
}
