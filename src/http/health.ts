import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify';
import { reportHealth, type Dependencies, type HealthReport } from '../monitoring/dependencies.js';
import type { Draining } from './draining.js';

/**
 * Registers the three health checks:
 * - `/health/live` answers 200 as long as the process runs.
 * - `/health/ready` answers 200 when MongoDB answers, else 503. Redis may be away: jobs are accepted without it. It
 *   answers 503 too while the server is about to close.
 * - `/health` answers 200 when MongoDB and Redis take writes, models are there and a worker is alive, else 503. It gives
 *   the state of each, and the reasons.
 * @param onRequest refuses an address that asks too often
 */
export function registerHealth(
  server: FastifyInstance,
  dependencies: Dependencies,
  draining: Pick<Draining, 'hasBegun'>,
  onRequest: onRequestAsyncHookHandler,
): void {
  const { mongodbAnswers, mongodb, redis, riskModels, workers } = dependencies;
  const statusOf = ({ status }: HealthReport): number => (status === 'up' ? 200 : 503);

  server.get('/health/live', { onRequest }, async () => ({ status: 'up' }));
  server.get('/health/ready', { onRequest }, async (_request, reply) => {
    if (draining.hasBegun) return reply.status(503).send({ status: 'draining' });
    const report = await reportHealth({ mongodb: mongodbAnswers });
    return reply.status(statusOf(report)).send(report);
  });
  server.get('/health', { onRequest }, async (_request, reply) => {
    const report = await reportHealth({ mongodb, redis, riskModels, workers });
    return reply.status(statusOf(report)).send(report);
  });
}
