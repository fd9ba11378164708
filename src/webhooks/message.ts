import type { WebhookDelivery } from '../../models/index.js';

/** The type of an event, e.g. `scoring_job.completed`. */
export const eventType = ({ jobState }: Pick<WebhookDelivery, 'jobState'>): string =>
  `scoring_job.${jobState.toLowerCase()}`;

/**
 * The body of a message. It holds ids and states only, and is the same at each attempt. The receiver asks the API for
 * the rest, with its own rights.
 */
export function bodyOf(delivery: WebhookDelivery): string {
  return JSON.stringify({
    type: eventType(delivery),
    timestamp: delivery.occurredAt.toISOString(),
    data: {
      organizationId: delivery.organization.toHexString(),
      jobId: delivery.job.toHexString(),
      kind: delivery.jobKind,
      state: delivery.jobState,
      sequence: delivery.sequence,
    },
  });
}
