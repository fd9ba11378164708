import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { ErrorCode } from '../errors.js';

const short = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const long = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 1_800];

/**
 * The metrics of one process. Labels are words of our code, fields of the schema, and versions of models: no caller can
 * choose one, so their number is bounded, and none tells of a patient.
 */
export interface Metrics extends Readonly<ReturnType<typeof createInstruments>> {
  readonly registry: Registry;
}

/**
 * Creates the metrics. The composition root does it once per process. Counters whose labels have few values begin at zero
 * for each of them: an alert compares with an earlier value, so the first error of a process would not count otherwise.
 * https://prometheus.io/docs/practices/instrumentation/#avoid-missing-metrics
 */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const instruments = createInstruments(registry);
  const { errors, jobsSubmitted, jobsEnded, attempts, failedAttempts, takeovers, repairs } = instruments;
  const codes = Object.values(ErrorCode);
  for (const code of codes) errors.inc({ code }, 0);
  for (const kind of ['SINGLE', 'BATCH']) {
    for (const one of [jobsSubmitted, repairs]) one.inc({ kind }, 0);
    for (const state of ['COMPLETED', 'FAILED', 'CANCELLED']) jobsEnded.inc({ kind, state }, 0);
  }
  for (const kind of ['SINGLE', 'CHUNK']) {
    for (const one of [attempts, takeovers]) one.inc({ kind }, 0);
    for (const code of codes) failedAttempts.inc({ kind, code }, 0);
  }
  return { registry, ...instruments };
}

function createInstruments(registry: Registry) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name: `riskgraph_${name}`, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, buckets: number[], ...labelNames: L[]) =>
    new Histogram({ name: `riskgraph_${name}`, help, buckets, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Gauge({ name: `riskgraph_${name}`, help, labelNames, registers });
  return {
    httpRequests: histogram(
      'http_request_duration_seconds',
      'HTTP requests by route and status.',
      short,
      'method',
      'route',
      'status',
    ),
    operations: histogram(
      'graphql_operation_duration_seconds',
      'Queries and mutations by name on the allow-list or else by root field, and whether they had an error.',
      short,
      'type',
      'operation',
      'outcome',
    ),
    errors: counter(
      'graphql_errors_total',
      'Errors in answers and events of this process, by the code that the caller sees.',
      'code',
    ),
    subscriptionEvents: counter('subscription_events_total', 'Events sent to subscribers, by field.', 'field'),
    foldedEvents: counter(
      'subscription_events_folded_total',
      'Progress of jobs that was folded into a later event, by field.',
      'field',
    ),
    jobsSubmitted: counter('jobs_submitted_total', 'Scoring jobs that were accepted.', 'kind'),
    jobsEnded: counter('jobs_ended_total', 'Scoring jobs that have ended, by state.', 'kind', 'state'),
    jobDuration: histogram(
      'job_duration_seconds',
      'Time from the submission of a job, or its last retry, to its end.',
      long,
      'kind',
      'state',
    ),
    jobWait: histogram('job_wait_seconds', 'Time from the submission of a job to its first attempt.', long, 'kind'),
    stageDuration: histogram(
      'job_stage_duration_seconds',
      'Time of an attempt in each stage. Of a chunk of a batch, SCORING includes the explanation.',
      short,
      'kind',
      'stage',
    ),
    attempts: counter('job_attempts_total', 'Attempts that were begun, of single jobs and of chunks.', 'kind'),
    failedAttempts: counter('job_attempts_failed_total', 'Attempts that ended with an error.', 'kind', 'code'),
    takeovers: counter('job_takeovers_total', 'Attempts that took over the work of a silent worker.', 'kind'),
    repairs: counter('reconciler_repairs_total', 'Queue entries that Redis had lost and that were put back.', 'kind'),
    inference: histogram('model_inference_seconds', 'One run of a model, for one or many rows.', short, 'model'),
    explaining: histogram('model_shap_seconds', 'SHAP values of one or many rows.', short, 'model'),
    scoredRows: counter('model_rows_total', 'Rows that a model has scored.', 'model'),
    additivityFailures: counter(
      'additivity_failures_total',
      'Explanations that were refused because they do not add up.',
      'model',
    ),
    breakGlass: counter('break_glass_total', 'Requests for emergency access to a patient.', 'outcome'),
    mongoOperations: histogram(
      'mongodb_operation_duration_seconds',
      'Operations of MongoDB, from the command to the answer. The wait for a connection is not included.',
      short,
    ),
    mongoPoolFailures: counter(
      'mongodb_pool_failures_total',
      'Operations that got no connection to MongoDB, by reason.',
      'reason',
    ),
    mongoPool: gauge('mongodb_pool_connections', 'Connections to MongoDB of this process.', 'state'),
    mongoPoolWait: histogram('mongodb_pool_wait_seconds', 'Wait for a free connection to MongoDB.', short),
    redisRoundTrip: histogram('redis_round_trip_seconds', 'A command to Redis, every few seconds.', short),
  };
}
