import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify';
import type { App } from '../app.js';
import type { Draining } from './draining.js';
import { remembered } from './probe-limit.js';
import { withinTime } from '../process/within-time.js';

type DependencyState = 'up' | 'down';

/** Time within which a dependency must answer, milliseconds. */
const probeTimeoutMs = 1_000;

type HealthParts = Pick<App, 'database' | 'registry' | 'connectRedis'>;

/**
 * Registers the three health checks:
 * - `/health/live` answers 200 as long as the process runs.
 * - `/health/ready` answers 200 when MongoDB answers, else 503. Redis may be away: jobs are accepted without it. It
 *   answers 503 too while the server is about to close.
 * - `/health` answers 200 when every dependency answers, else 503. It gives the state of each.
 * @param onRequest refuses an address that asks too often
 */
export function registerHealth(
  server: FastifyInstance,
  app: HealthParts,
  draining: Pick<Draining, 'hasBegun'>,
  onRequest: onRequestAsyncHookHandler,
): void {
  const probeConnection = app.connectRedis('failing-fast');
  server.addHook('onClose', async () => probeConnection.disconnect());

  const mongodb = remembered(() => probe(app.database.db!.admin().ping()));
  const redis = remembered(() => probe(probeConnection.ping()));

  server.get('/health/live', { onRequest }, async () => ({ status: 'up' }));
  server.get('/health/ready', { onRequest }, async (_request, reply) => {
    if (draining.hasBegun) return reply.status(503).send({ status: 'draining' });
    const state = await mongodb();
    return reply.status(state === 'up' ? 200 : 503).send({ status: state, dependencies: { mongodb: state } });
  });
  server.get('/health', { onRequest }, async (_request, reply) => {
    const [mongodbState, redisState] = await Promise.all([mongodb(), redis()]);
    const models = app.registry.list().length > 0 ? 'up' : 'down';
    const dependencies = { mongodb: mongodbState, redis: redisState, riskModels: models };
    const status = Object.values(dependencies).every((state) => state === 'up') ? 'up' : 'down';
    return reply.status(status === 'up' ? 200 : 503).send({ status, dependencies });
  });
}

const probe = (answer: Promise<unknown>): Promise<DependencyState> =>
  withinTime(
    answer.then(
      () => 'up',
      () => 'down',
    ),
    probeTimeoutMs,
    () => 'down',
  );
