import { pino } from 'pino';
import { expect, test } from 'vitest';
import { startErrorReports } from '../../src/process/error-reports.js';
import { createLogger, logError } from '../../src/process/logger.js';
import { startReceiver } from '../support/receiver.js';

interface Event {
  readonly message?: string;
  readonly exception: { readonly values: { type: string; value: string; stacktrace: { frames: object[] } }[] };
  readonly tags: Record<string, string>;
  readonly extra: Record<string, unknown>;
  readonly request?: unknown;
  readonly breadcrumbs?: unknown;
  readonly user?: unknown;
}

const eventsOf = (bodies: readonly string[]): Event[] =>
  bodies.flatMap((body) => {
    const [, header, event] = body.split('\n');
    return (JSON.parse(header!) as { type: string }).type === 'event' ? [JSON.parse(event!) as Event] : [];
  });

test('an error of the log is sent with its type, its code, its place and ids, and without its message', async () => {
  const receiver = await startReceiver();
  const reports = startErrorReports({
    dsn: receiver.url.replace('http://', 'http://key@') + '/7',
    service: 'riskgraph-api',
    environment: 'test',
    version: '1.2.3',
  });
  const logger = Object.assign(createLogger('error', 'test', { report: reports.report }), {
    [pino.symbols.streamSym]: { write: () => undefined },
  });
  const error = Object.assign(new RangeError('Canarymrn-1'), { code: 'E1', patient: 'Canaryname' });
  for (let count = 0; count < 100; count += 1)
    logError(logger, error, 'request failed', { requestId: 'request-1', mrn: 'Canarymrn-2' });
  await reports.close();
  const events = eventsOf(receiver.bodies);
  expect(events).toHaveLength(1);
  const [{ exception, tags, extra, request, breadcrumbs, user }] = events as [Event];
  expect(exception.values[0]).toMatchObject({ type: 'RangeError', value: 'request failed' });
  expect(JSON.stringify(exception.values[0]!.stacktrace.frames)).toContain('error-reports.test');
  expect(tags).toEqual({ service: 'riskgraph-api', errorCode: 'E1' });
  expect(extra).toEqual({ requestId: 'request-1' });
  expect([request, breadcrumbs, user]).toEqual([undefined, undefined, undefined]);
  expect(receiver.bodies.join()).not.toContain('Canary');
});

test('a server that is away holds up neither the log nor the end', async () => {
  const options = { service: 'riskgraph-api', environment: 'test', version: '1.2.3' };
  const reports = startErrorReports({ dsn: 'http://key@127.0.0.1:9/7', ...options });
  reports.report(new Error('away'), 'not written', {});
  await reports.close();
});
