/* eslint-disable no-console -- a benchmark prints */
/**
 * Measures what traces and error reports cost in the process that makes them, with a collector on this machine.
 *
 *   node --import @swc-node/register/esm-register bench/traces.ts
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startErrorReports } from '../src/process/error-reports.js';
import { startTracing } from '../src/process/open-telemetry.js';
import { noTracing, type Tracing } from '../src/process/tracing.js';

const rounds = 20_000;
const collector = createServer((request, response) => {
  request.resume();
  request.on('end', () => response.end('{}'));
});
await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;

/** The spans of one job: request, queue, attempt and four stages. @returns microseconds of processor time per job */
async function costOf(tracing: Tracing): Promise<number> {
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round += 1) {
    let parent: string | undefined;
    await tracing.arriving('POST /graphql', undefined, async () => {
      parent = tracing.traceparent();
      await tracing.span('put on the queue', { 'riskgraph.job_kind': 'SINGLE' }, async () => undefined);
      tracing.add({ 'riskgraph.operation': 'submitScoringJob', 'riskgraph.request_id': 'request-1' });
    });
    await tracing.continued('score a patient', parent, { 'riskgraph.job_id': 'job-1' }, async () => {
      for (const stage of ['ENCODING', 'SCORING', 'EXPLAINING', 'SAVING']) tracing.begin(stage).end();
    });
    if (round % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await tracing.close();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / rounds;
}

const started = (ratio: number): Tracing => startTracing({ endpoint: url, ratio, service: 'bench', version: '1' });
console.log(`off: ${(await costOf(noTracing)).toFixed(2)} microseconds per job of seven spans`);
await costOf(started(1));
console.log(`on, all traced: ${(await costOf(started(1))).toFixed(1)}`);
console.log(`on, one of ten traced: ${(await costOf(started(0.1))).toFixed(1)}`);

const reports = startErrorReports({
  dsn: url.replace('//', '//key@') + '/1',
  service: 'b',
  environment: 'b',
  version: '1',
});
const begun = process.cpuUsage();
for (let count = 0; count < 1_000; count += 1)
  reports.report(new Error('away'), 'not written', { requestId: 'request-1' });
await reports.close();
const { user, system } = process.cpuUsage(begun);
console.log(`an error report: ${((user + system) / 1_000).toFixed(0)} microseconds`);
collector.closeAllConnections();
collector.close();
