import { pino } from 'pino';
import { expect, inject, test } from 'vitest';
import { createRepeatFolder } from '../../src/process/fold-repeats.js';
import { proxyTo } from '../support/cuttable-proxy.js';
import { ownRedis } from '../support/own-redis.js';
import { atEnd } from '../support/at-end.js';
import { ended, patient, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

/** Commands that this Redis has refused since its start. */
async function refused(operator: Awaited<ReturnType<typeof ownRedis>>['operator']): Promise<number> {
  const facts = await operator.info('commandstats');
  return [...facts.matchAll(/rejected_calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0);
}

test('a worker that Redis refuses pauses, says it once, and goes on when it is let', { timeout: 150_000 }, async () => {
  const { url, operator } = await ownRedis();
  const lines: string[] = [];
  const logger = pino({ hooks: { logMethod: createRepeatFolder() } }, { write: (line) => void lines.push(line) });
  const environment = { REDIS_URL: url, RECONCILE_INTERVAL_MS: '200', WORKER_CONCURRENCY: '1' };
  const system = await startSystem({ environment, logger });
  const client = await system.client('CLINICIAN');
  const { id: patientId } = await patient(client);
  const jobs = await Promise.all(Array.from({ length: 120 }, () => submit(client, { patientId })));
  // Work waits in the queue, so the worker asks for it without a pause.
  await operator.call('ACL', 'SETUSER', 'default', '-evalsha', '-eval');
  await expect.poll(() => refused(operator), { interval: 1_000, timeout: 30_000 }).toBeGreaterThan(20);
  expect(await refused(operator)).toBeLessThan(500);
  expect(lines.filter((line) => line.includes('error of a scoring worker')).length).toBeLessThan(10);
  await operator.call('ACL', 'SETUSER', 'default', '+@all');
  for (const { id } of jobs) expect(await ended(client, id)).toMatchObject({ state: 'COMPLETED' });
});

test('jobs and events find the new primary after a failover', { timeout: 150_000 }, async () => {
  const [first, second] = [await ownRedis(), await ownRedis()];
  const redis = await proxyTo(first.url);
  atEnd(() => redis.close());
  const system = await startSystem({ environment: { REDIS_URL: redis.url, RECONCILE_INTERVAL_MS: '200' } });
  const client = await system.client('CLINICIAN');
  const { id: patientId } = await patient(client);
  await ended(client, (await submit(client, { patientId })).id);

  // The address leads to the new primary now. The connections to the old one stay open.
  await second.operator.config('SET', 'requirepass', new URL(first.url).password);
  redis.moveTo(second.url);
  const { hostname, port } = new URL(second.url);
  await first.operator.replicaof(hostname, port);

  const jobs = await Promise.all(Array.from({ length: 20 }, () => submit(client, { patientId })));
  for (const { id } of jobs) expect(await ended(client, id)).toMatchObject({ state: 'COMPLETED' });
  // No process listens at the old primary for events.
  await expect
    .poll(async () => (await second.operator.pubsub('CHANNELS')).length, { timeout: 30_000 })
    .toBeGreaterThan(0);
});

test('API and worker start without Redis, accept jobs, and run them when it comes', { timeout: 150_000 }, async () => {
  const redis = await proxyTo(inject('redisUrl'));
  atEnd(() => redis.close());
  redis.cut();
  const system = await startSystem({ environment: { REDIS_URL: redis.url, RECONCILE_INTERVAL_MS: '200' } });
  const client = await system.client('CLINICIAN');
  const { id: patientId } = await patient(client);
  const job = await submit(client, { patientId });
  redis.mend();
  expect(await ended(client, job.id)).toMatchObject({ state: 'COMPLETED' });
});
