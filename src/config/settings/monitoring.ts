import { z } from 'zod';
import { isSlug, slugRule } from '../slug.js';
import { httpUrl, text } from '../setting-schemas.js';
import type { Setting } from '../setting.js';

/** The form that the SDK of Sentry takes. It prints an address of another form as a whole, with its key. */
const sentryAddress = /^https?:\/\/\w+(:\w*)?@(\[[:.%\w]+\]|[\w.-]+)(:\d+)?\/(.+\/)?\d+$/;

/** What operators see of the processes, in addition to health, metrics and the log. */
export const monitoringSettings = [
  {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    key: 'tracing.endpoint',
    schema: httpUrl('http://10.0.0.7:4318').optional(),
    description:
      'Collector that gets [traces](operations.md#traces) by OTLP over HTTP, e.g. `http://10.0.0.7:4318`. Without it ' +
      'there are none',
  },
  {
    name: 'OTEL_TRACES_SAMPLER_ARG',
    key: 'tracing.ratio',
    schema: z.coerce
      .number({ error: 'must be a number from 0 to 1' })
      .min(0, 'must be a number from 0 to 1')
      .max(1, 'must be a number from 0 to 1')
      .default(1),
    description:
      'Share of the requests that are traced, from 0 to 1. A proxy in `TRUST_PROXY` may decide it by `traceparent`',
  },
  {
    name: 'SENTRY_DSN',
    key: 'sentryDsn',
    secret: true,
    schema: httpUrl('https://KEY@sentry.example.org/1')
      .refine((url) => sentryAddress.test(url), 'must be a DSN such as https://KEY@sentry.example.org/1')
      .optional(),
    description:
      'Address of Sentry, or of a server that speaks its protocol, which gets [errors](operations.md#errors-to-sentry). ' +
      'Without it none is sent',
  },
  {
    name: 'QUEUE_PAGE_ORGANIZATION',
    key: 'queuePageOrganization',
    schema: text.refine(isSlug, `must be the slug of an organization (${slugRule})`).optional(),
    description:
      'Organization whose ADMINs may see the [queues](operations.md#the-queue-page) of the whole deployment at ' +
      '`/queues`. Without it that page is off',
  },
] as const satisfies readonly Setting[];
