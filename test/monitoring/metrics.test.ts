import { Redis } from 'ioredis';
import { Types } from 'mongoose';
import { expect, onTestFinished, test } from 'vitest';
import { startServerProcess } from '../../src/commands/server-process.js';
import { startMonitoringServer } from '../../src/monitoring/server.js';
import { freePort } from '../support/free-port.js';
import { modelId } from '../support/heart-disease.js';
import { metricNames, readMetrics } from '../support/metrics.js';
import { followed, patient, scored, submit } from '../support/scenario.js';
import { settingsFor, startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const metrics = () => readMetrics(`${system.url}/metrics`);

test('a worker serves metrics on a port of its own, with the times of models, stages and attempts', async () => {
  const METRICS_PORT = String(await freePort());
  const worker = await startServerProcess('worker', { ...settingsFor(system.app.config), METRICS_PORT });
  onTestFinished(() => worker.stop());
  const client = await system.client('CLINICIAN');
  const { jobId } = await scored(client);
  await followed(client, (await submit(client, { all: true })).id);
  expect(jobId).toBeTruthy();
  const seen = await readMetrics(`http://127.0.0.1:${METRICS_PORT}/metrics`);
  const model = `model="${modelId}@1.0.0"`;
  expect(Object.fromEntries(seen)).toMatchObject({
    'riskgraph_jobs_ended_total{kind="SINGLE",state="COMPLETED"}': 1,
    'riskgraph_jobs_ended_total{kind="BATCH",state="COMPLETED"}': 1,
    'riskgraph_job_duration_seconds_count{kind="SINGLE",state="COMPLETED"}': 1,
    'riskgraph_job_wait_seconds_count{kind="SINGLE"}': 1,
    'riskgraph_job_attempts_total{kind="SINGLE"}': 1,
    'riskgraph_job_attempts_total{kind="CHUNK"}': 1,
    'riskgraph_job_stage_duration_seconds_count{kind="SINGLE",stage="EXPLAINING"}': 1,
    'riskgraph_job_stage_duration_seconds_count{kind="CHUNK",stage="SAVING"}': 1,
    [`riskgraph_model_inference_seconds_count{${model}}`]: 2,
    [`riskgraph_model_shap_seconds_count{${model}}`]: 2,
    [`riskgraph_model_rows_total{${model}}`]: 2,
    [`riskgraph_risk_model_info{model="${modelId}",version="1.0.0"}`]: 1,
    riskgraph_revocations_age_seconds: 0,
  });
  expect(seen.get('riskgraph_mongodb_operation_duration_seconds_count')).toBeGreaterThan(0);
  expect(seen.get('riskgraph_mongodb_pool_connections{state="open"}')).toBeGreaterThan(0);
  expect(seen.get('riskgraph_redis_connections{state="ready"}')).toBeGreaterThan(0);
  expect((await fetch(`http://127.0.0.1:${METRICS_PORT}/graphql`)).status).toBe(404);
  expect((await fetch(`http://127.0.0.1:${METRICS_PORT}/metrics`, { method: 'POST', body: 'x' })).status).toBe(405);
});

test('with METRICS_PORT the public door of the API has no metrics, and the other port has health too', async () => {
  const METRICS_PORT = String(await freePort());
  const other = await startSystem({ worker: false, environment: { METRICS_PORT } });
  expect((await fetch(`${other.url}/metrics`)).status).toBe(404);
  const inside = `http://127.0.0.1:${METRICS_PORT}`;
  expect(await metricNames(`${inside}/metrics`)).toContain('riskgraph_subscriptions');
  expect((await fetch(`${inside}/health/ready`)).status).toBe(200);
  expect((await fetch(`${inside}/health`)).status).toBe(503);
});

test('queues are shown by kind and priority, with the age of the oldest entry, and what the reconciler put back', async () => {
  const client = await system.client('CLINICIAN');
  const { id: patientId } = await patient(client);
  const first = await submit(client, { patientId, priority: 0 });
  await submit(client, { patientId, priority: 10 });
  await submit(client, { patientId, priority: 10 });
  await expect
    .poll(async () => Object.fromEntries(await metrics()))
    .toMatchObject({
      'riskgraph_queue_entries{kind="single",priority="0"}': 1,
      'riskgraph_queue_entries{kind="single",priority="5"}': 0,
      'riskgraph_queue_entries{kind="single",priority="10"}': 2,
      'riskgraph_open_scoring_jobs{state="QUEUED"}': 3,
      riskgraph_workers_alive: 0,
      'riskgraph_dependency_up{dependency="workers"}': 0,
      'riskgraph_dependency_up{dependency="redis"}': 1,
    });
  const oldest = 'riskgraph_queue_oldest_seconds{kind="single",priority="10"}';
  expect((await metrics()).get(oldest)).toBeGreaterThan(0);

  const { redisUrl, redisPrefix } = system.app.config;
  const redis = new Redis(redisUrl!);
  onTestFinished(() => redis.disconnect());
  const keys = await redis.keys(`${redisPrefix}:scoring-single:*`);
  await redis.del(...keys);
  const job = (await system.app.jobStore.find(new Types.ObjectId(first.id)))!;
  expect(await system.app.jobDispatcher.restore(job)).toBe(true);
  expect((await metrics()).get('riskgraph_reconciler_repairs_total{kind="SINGLE"}')).toBe(1);
});

test('operations are measured by the field of the schema, never by a name of the caller', async () => {
  const token = await system.token('CLINICIAN');
  await system.post('query Canary_4711 { viewer { role } }', undefined, token);
  await system.post('query Canary_4711 { canary: patients { totalCount } viewer { role } }', undefined, token);
  await system.post('mutation Canary { deletePatient(id: "Canary") { id } }', undefined, token);
  const seen = await metrics();
  const count = (type: string, operation: string, outcome: string): number | undefined =>
    seen.get(
      `riskgraph_graphql_operation_duration_seconds_count{type="${type}",operation="${operation}",outcome="${outcome}"}`,
    );
  expect(count('query', 'viewer', 'ok')).toBeGreaterThan(0);
  expect(count('query', 'several', 'ok')).toBe(1);
  expect(count('mutation', 'deletePatient', 'error')).toBe(1);
  expect([...seen.keys()].join('\n')).not.toMatch(/canary/i);
});

test('what an operator must see has a metric', async () => {
  const names = await metricNames(`${system.url}/metrics`);
  for (const name of [
    'http_request_duration_seconds',
    'graphql_operation_duration_seconds',
    'graphql_errors_total',
    'job_stage_duration_seconds',
    'queue_entries',
    'queue_oldest_seconds',
    'job_attempts_total',
    'job_takeovers_total',
    'reconciler_repairs_total',
    'jobs_ended_total',
    'model_inference_seconds',
    'model_shap_seconds',
    'additivity_failures_total',
    'mongodb_operation_duration_seconds',
    'mongodb_pool_failures_total',
    'mongodb_pool_connections',
    'mongodb_pool_wait_seconds',
    'redis_round_trip_seconds',
    'redis_connections',
    'subscriptions',
    'subscription_events_total',
    'subscription_events_folded_total',
    'revocations_age_seconds',
    'audit_waiting_events',
    'audit_unsealed_seconds',
    'key_rotation_age_seconds',
    'risk_model_info',
    'build_info',
    'workers_alive',
  ])
    expect(names).toContain(`riskgraph_${name}`);
  expect(names).toContain('nodejs_eventloop_lag_p99_seconds');
});

test('a taken METRICS_PORT is reported in one line', async () => {
  const { logger } = system.app;
  const one = await startMonitoringServer({}, { host: '127.0.0.1', port: 0, logger });
  onTestFinished(() => one.close());
  await expect(startMonitoringServer({}, { host: '127.0.0.1', port: one.port, logger })).rejects.toThrow(
    `Port ${one.port} of 127.0.0.1 is in use by another program: stop it, or set METRICS_PORT to a free one.`,
  );
});
