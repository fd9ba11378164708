import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { unfinishedStates } from '../jobs/job-status.js';
import type { ContextSources } from './operation-context.js';
import { keepLatest } from '../process/latest.js';
import { isStream } from './stream-format.js';

/** Age from which the counts of the whole deployment are read again, milliseconds. */
const countAgeMs = 5_000;
/** Longest time of such a count, milliseconds. */
const longestCountMs = 10_000;

/**
 * Serves `/metrics` in Prometheus' text format. Labels are methods, routes and states: a caller cannot choose them.
 * @param errorCounts the errors that callers have seen, by code
 * @param onRequest refuses an address that asks too often
 */
export function registerMetrics(
  server: FastifyInstance,
  { app, jobStreams, predictionStreams }: ContextSources,
  errorCounts: ReadonlyMap<string, number>,
  onRequest: onRequestAsyncHookHandler,
): void {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const durations = new Histogram({
    name: 'riskgraph_http_request_duration_seconds',
    help: 'HTTP requests by route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
    registers: [register],
  });
  new Gauge({
    name: 'riskgraph_subscriptions',
    help: 'GraphQL subscriptions that run in this process.',
    labelNames: ['kind'],
    registers: [register],
    collect() {
      this.set({ kind: 'scoringJobUpdated' }, jobStreams.size);
      this.set({ kind: 'scoringJobsUpdated' }, jobStreams.listSize);
      this.set({ kind: 'predictionCreated' }, predictionStreams.size);
    },
  });
  const openJobs = keepLatest(
    () =>
      Promise.all(
        unfinishedStates.map(async (state) => ({
          state,
          count: await app.models.scoringJobs.countDocuments({ 'status.state': state }).maxTimeMS(longestCountMs),
        })),
      ),
    countAgeMs,
  );
  openJobs.get();
  new Counter({
    name: 'riskgraph_graphql_errors_total',
    help: 'Errors in answers and events of this process, by the code that the caller sees.',
    labelNames: ['code'],
    registers: [register],
    collect() {
      this.reset();
      for (const [code, count] of errorCounts) this.inc({ code }, count);
    },
  });
  new Gauge({
    name: 'riskgraph_open_scoring_jobs',
    help: 'Unfinished scoring jobs of the whole deployment.',
    labelNames: ['state'],
    registers: [register],
    collect() {
      for (const { state, count } of openJobs.get() ?? []) this.set({ state }, count);
    },
  });
  new Gauge({
    name: 'riskgraph_deployment_counts_age_seconds',
    help: 'Age of the counts of the whole deployment. No scrape waits for them.',
    registers: [register],
    collect() {
      this.set(openJobs.ageSeconds());
    },
  });
  server.addHook('onResponse', async (request, reply) => {
    // A stream of events lasts as long as its client wants.
    if (isStream(reply.raw.getHeader('content-type'))) return;
    durations.observe(
      { method: request.method, route: request.routeOptions.url ?? 'none', status: String(reply.statusCode) },
      reply.elapsedTime / 1000,
    );
  });
  server.get('/metrics', { onRequest }, async (_request, reply) =>
    reply.type(register.contentType).send(await register.metrics()),
  );
}
