import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { unfinishedStates } from '../jobs/job-status.js';
import type { ContextSources } from './operation-context.js';
import { remembered } from './probe-limit.js';

/**
 * Serves `/metrics` in Prometheus' text format. Labels are methods, routes and states: a caller cannot choose them.
 * @param onRequest refuses an address that asks too often
 */
export function registerMetrics(
  server: FastifyInstance,
  { app, jobStreams, predictionStreams }: ContextSources,
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
      this.set({ kind: 'predictionCreated' }, predictionStreams.size);
    },
  });
  const countJobs = remembered(() =>
    Promise.all(
      unfinishedStates.map(async (state) => ({
        state,
        count: await app.models.scoringJobs.countDocuments({ 'status.state': state }).catch(() => Number.NaN),
      })),
    ),
  );
  new Gauge({
    name: 'riskgraph_open_scoring_jobs',
    help: 'Unfinished scoring jobs of the whole deployment.',
    labelNames: ['state'],
    registers: [register],
    async collect() {
      for (const { state, count } of await countJobs()) this.set({ state }, count);
    },
  });
  server.addHook('onResponse', async (request, reply) => {
    durations.observe(
      { method: request.method, route: request.routeOptions.url ?? 'none', status: String(reply.statusCode) },
      reply.elapsedTime / 1000,
    );
  });
  server.get('/metrics', { onRequest }, async (_request, reply) =>
    reply.type(register.contentType).send(await register.metrics()),
  );
}
