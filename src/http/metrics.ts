import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify';
import { Gauge } from 'prom-client';
import type { Metrics } from '../process/metrics.js';
import type { ContextSources } from './operation-context.js';
import { isStream } from './stream-format.js';

/** Counts the requests and the subscriptions of a server. */
export function measureRequests(
  server: FastifyInstance,
  { app: { metrics }, jobStreams, predictionStreams }: ContextSources,
): void {
  const name = 'riskgraph_subscriptions';
  // A server that was started before on the same app is closed.
  metrics.registry.removeSingleMetric(name);
  new Gauge({
    name,
    help: 'GraphQL subscriptions that run in this process.',
    labelNames: ['kind'],
    registers: [metrics.registry],
    collect() {
      this.set({ kind: 'scoringJobUpdated' }, jobStreams.size);
      this.set({ kind: 'scoringJobsUpdated' }, jobStreams.listSize);
      this.set({ kind: 'predictionCreated' }, predictionStreams.size);
    },
  });
  server.addHook('onResponse', async (request, reply) => {
    // A stream of events lasts as long as its client wants.
    if (isStream(reply.raw.getHeader('content-type'))) return;
    metrics.httpRequests.observe(
      { method: request.method, route: request.routeOptions.url ?? 'none', status: String(reply.statusCode) },
      reply.elapsedTime / 1000,
    );
  });
}

/**
 * Serves `/metrics` in Prometheus' text format.
 * @param onRequest refuses an address that asks too often
 */
export function registerMetrics(
  server: FastifyInstance,
  { registry }: Pick<Metrics, 'registry'>,
  onRequest: onRequestAsyncHookHandler,
): void {
  server.get('/metrics', { onRequest }, async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
}
