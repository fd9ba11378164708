import { z } from 'zod';
import { listOf, text, wholeNumber } from '../setting-schemas.js';
import type { Setting } from '../setting.js';

/** Webhooks: the receivers that may be reached, and how often and how long they are tried. */
export const webhookSettings = [
  {
    name: 'WEBHOOK_ALLOWED_HOSTS',
    key: 'webhooks.allowedHosts',
    schema: listOf(text.toLowerCase()).default([]),
    description:
      'Hosts of your own network that [webhooks](webhooks.md) may reach, e.g. `care.hospital.local`. All other hosts ' +
      'need a public address and TLS',
  },
  {
    name: 'WEBHOOK_RETRY_SECONDS',
    key: 'webhooks.retrySeconds',
    schema: listOf(
      z
        .string()
        .regex(/^[1-9]\d{0,5}$/, 'must be seconds from 1 to 999999, with commas between them')
        .transform(Number),
    )
      .refine((list) => list.length <= 20, 'must have at most 20 entries')
      .default([5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]),
    description: 'Seconds before each retry of a webhook. Their number is that of the retries',
  },
  {
    name: 'WEBHOOK_TIMEOUT_SECONDS',
    key: 'webhooks.timeoutSeconds',
    schema: wholeNumber(1, 60).default(15),
    description: 'Seconds within which the receiver of a webhook must answer',
  },
  {
    name: 'WEBHOOK_CONCURRENCY',
    key: 'webhooks.concurrency',
    schema: wholeNumber(1, 256).default(32),
    description: 'Webhooks that a worker sends at once, at most four of them to one endpoint',
  },
  {
    name: 'WEBHOOK_DISABLE_AFTER_HOURS',
    key: 'webhooks.disableAfterHours',
    schema: wholeNumber(1, 720).default(120),
    description: 'Hours of failures without a success after which an endpoint of webhooks is disabled',
  },
  {
    name: 'WEBHOOK_RETENTION_DAYS',
    key: 'webhooks.retentionDays',
    schema: wholeNumber(1, 365).default(30),
    description: 'Days for which deliveries that have ended stay in the log',
  },
] as const satisfies readonly Setting[];
