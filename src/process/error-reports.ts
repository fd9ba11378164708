import { defaultStackParser, makeNodeTransport, NodeClient } from '@sentry/node';
import type { ReportError } from './fold-repeats.js';
import { describeError } from './logger.js';

/** Longest time that the end of a process waits for the last reports, milliseconds. */
const closeMs = 2_000;

interface ErrorReportOptions {
  readonly dsn: string;
  readonly service: string;
  readonly environment: string;
  readonly version: string;
}

/** Sends errors to a server that speaks Sentry's protocol. */
export interface ErrorReports {
  readonly report: ReportError;
  /** Sends what waits. */
  close(): Promise<void>;
}

/** The fields of a log line that a report has: ids and codes. */
const reportedFields = ['requestId', 'scoringJobId', 'code'] as const;

/**
 * Starts the reports of errors. This module is loaded only when SENTRY_DSN is set, because its package is optional. The
 * client has no integration: it watches no request, patches no module, and sends what is given to it alone. A report has
 * the type, the code and the place of an error, our own message, and ids. The message of the error is left out, because
 * drivers quote documents in it.
 */
export function startErrorReports({ dsn, service, environment, version }: ErrorReportOptions): ErrorReports {
  const client = new NodeClient({
    dsn,
    environment,
    release: `riskgraph@${version}`,
    integrations: [],
    transport: makeNodeTransport,
    stackParser: defaultStackParser,
    sendClientReports: false,
    maxBreadcrumbs: 0,
  });
  client.init();
  return {
    report(error, message, fields) {
      const {
        type,
        code,
        subject,
        places = [],
      } = describeError(error) as {
        readonly type: string;
        readonly code?: unknown;
        readonly subject?: unknown;
        readonly places?: readonly string[];
      };
      const frames = defaultStackParser(places.map((place) => `    ${place}`).join('\n'));
      const ids = reportedFields.flatMap((key) => (fields[key] === undefined ? [] : [[key, String(fields[key])]]));
      client.captureEvent({
        level: 'error',
        exception: { values: [{ type, value: message, stacktrace: { frames } }] },
        tags: { service, ...(code !== undefined && { errorCode: String(code) }) },
        extra: { ...Object.fromEntries(ids), ...(typeof subject === 'string' && { subject }) },
      });
    },
    async close() {
      await client.close(closeMs);
    },
  };
}
