import { expect, test } from 'vitest';
import { patient, submit, ended } from '../support/scenario.js';
import { spansOf, startReceiver, type ReceivedSpan } from '../support/receiver.js';
import { startSystem } from '../support/system.js';

const attribute = ({ attributes }: ReceivedSpan, key: string): unknown =>
  Object.values(attributes.find((one) => one.key === key)?.value ?? {})[0];

test('one trace leads from the request over the queue to the stored prediction and its event', async () => {
  const receiver = await startReceiver();
  const system = await startSystem({ environment: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url } });
  const client = await system.client('CLINICIAN');
  const { id: patientId } = await patient(client);
  const single = await submit(client, { patientId });
  await ended(client, single.id);
  const batch = await submit(client, { patientIds: [patientId] });
  await ended(client, batch.id);
  await system.app.tracing.close();
  const spans = spansOf(receiver);
  const traceOf = (name: string): ReceivedSpan[] => {
    const [span] = spans.filter((one) => one.name === name);
    return spans.filter(({ traceId }) => traceId === span!.traceId);
  };
  const names = (trace: ReceivedSpan[]): string[] => [...new Set(trace.map(({ name }) => name))].sort();

  const trace = traceOf('score a patient');
  expect(names(trace)).toEqual([
    'ENCODING',
    'EXPLAINING',
    'POST /graphql',
    'SAVING',
    'SCORING',
    'event scoringJobUpdated',
    'put on the queue',
    'score a patient',
  ]);
  const [root] = trace.filter(({ name }) => name === 'POST /graphql');
  expect(root!.parentSpanId ?? '').toBe('');
  expect(attribute(root!, 'riskgraph.operation')).toBe('submitScoringJob');
  const [scoring] = trace.filter(({ name }) => name === 'score a patient');
  expect(scoring!.parentSpanId).toBe(root!.spanId);
  expect(attribute(scoring!, 'riskgraph.job_id')).toBe(single.id);
  for (const stage of ['ENCODING', 'SCORING', 'EXPLAINING', 'SAVING'])
    expect(trace.find(({ name }) => name === stage)!.parentSpanId).toBe(scoring!.spanId);
  expect(names(traceOf('score a chunk'))).toEqual([
    'ENCODING',
    'POST /graphql',
    'SAVING',
    'SCORING',
    'event scoringJobUpdated',
    'put on the queue',
    'score a chunk',
  ]);
});

test('a trusted proxy gives the trace of a request, and may leave it out; others begin one of their own', async () => {
  const receiver = await startReceiver();
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.url}/`, TRUST_PROXY: 'loopback' };
  const behind = await startSystem({ worker: false, environment });
  const open = await startSystem({ worker: false, environment: { ...environment, TRUST_PROXY: '' } });
  const traceId = (digit: string): string => digit.repeat(32);
  const ask = async (url: string, digit: string, flags: string): Promise<void> => {
    const traceparent = `00-${traceId(digit)}-${'b'.repeat(16)}-${flags}`;
    const headers = { 'content-type': 'application/json', traceparent };
    await (await fetch(`${url}/graphql`, { method: 'POST', headers, body: '{"query":"{ __typename }"}' })).text();
  };
  await ask(behind.url, 'a', '01');
  await ask(behind.url, 'c', '00');
  await ask(open.url, 'd', '01');
  await behind.app.tracing.close();
  await open.app.tracing.close();
  const spans = spansOf(receiver);
  expect(spans).toHaveLength(2);
  expect(spans.find((span) => span.traceId === traceId('a'))!.parentSpanId).toBe('b'.repeat(16));
  expect(spans.some((span) => [traceId('c'), traceId('d')].includes(span.traceId))).toBe(false);
});

test('a collector that is away holds up neither requests nor the end', async () => {
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
  const system = await startSystem({ worker: false, environment });
  expect((await system.post('{ viewer { role } }', undefined, await system.token('ADMIN'))).errors).toBeUndefined();
  await system.app.tracing.close();
});
