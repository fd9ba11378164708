import type { Types } from 'mongoose';
import type { Logger } from 'pino';
import type { Models } from '../../models/index.js';
import type { EventBus } from '../events/event-bus.js';
import { logError } from '../process/logger.js';
import { createSerialTask } from '../process/serial-task.js';

/** Period after which the list is read again, because the message of a change may be lost. Milliseconds. */
const renewalMs = 10_000;

/** The organizations with an enabled endpoint, kept in memory: the end of every job asks for it. */
interface WebhookTargets {
  readonly has: (organization: Types.ObjectId) => boolean;
  close(): Promise<void>;
}

/**
 * Reads the list and follows its changes. The list may be some seconds old. The outbox makes up for that: it looks for
 * jobs that ended since an endpoint was enabled (outbox.ts).
 */
export async function startWebhookTargets(
  { webhookEndpoints }: Pick<Models, 'webhookEndpoints'>,
  events: EventBus,
  logger: Logger,
): Promise<WebhookTargets> {
  let organizations = new Set<string>();
  const reading = createSerialTask(async () => {
    const ids = (await webhookEndpoints.distinct('organization', {
      disabledAt: { $exists: false },
    })) as Types.ObjectId[];
    organizations = new Set(ids.map((id) => id.toHexString()));
  });
  const renew = (): void => {
    reading
      .run()
      .catch((error: unknown) =>
        logError(logger, error, 'the endpoints of webhooks could not be read', { level: 'warn' }),
      );
  };
  await reading.run();
  const stops = [events.subscribe('webhookEndpointsChanged', renew), events.onGap(renew)];
  const timer = setInterval(renew, renewalMs);
  timer.unref();
  return {
    has: (organization) => organizations.has(organization.toHexString()),
    async close() {
      clearInterval(timer);
      for (const stop of stops) stop();
      await reading.settled();
    },
  };
}
