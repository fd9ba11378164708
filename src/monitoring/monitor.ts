import type { App } from '../app.js';
import type { Closers } from '../closers.js';
import { createDependencies, reportHealth, type Dependencies, type DependencyParts } from './dependencies.js';
import { describeDeployment, type DeploymentParts } from './deployment-metrics.js';
import { startHeartbeat, type WorkState } from './heartbeats.js';
import { describeProcess, type ProcessParts } from './process-metrics.js';
import { jsonAnswer, startMonitoringServer, type MonitoringPages } from './server.js';

/** The parts of the app that monitoring uses. */
export type MonitoredParts = DependencyParts & DeploymentParts & ProcessParts & Pick<App, 'logger'>;

/** The work of a worker process, as it sees it itself. */
interface MonitoredWork {
  state(): WorkState;
  isStuck(): boolean;
}

/**
 * Makes the metrics of an API and, with METRICS_PORT, serves them there together with its health.
 * @param isDraining tells whether the API is about to close
 * @returns the dependencies, which the API's own health checks ask too
 */
export async function monitorApi(
  app: MonitoredParts,
  isDraining: () => boolean,
  closers: Closers,
): Promise<Dependencies> {
  const dependencies = describe(app, closers);
  const { mongodb, mongodbAnswers, redis, riskModels, workers } = dependencies;
  const draining = async () => (isDraining() ? { state: 'down' as const } : { state: 'up' as const });
  await serve(app, closers, {
    '/health': page({ mongodb, redis, riskModels, workers }),
    '/health/ready': page({ mongodb: mongodbAnswers, serving: draining }),
    '/health/live': page({}),
  });
  return dependencies;
}

/**
 * Writes the signs of life of a worker, makes its metrics and, with METRICS_PORT, serves them together with its health:
 * - `/health/live` answers 200 as long as its event loop turns and no work is stuck.
 * - `/health` and `/health/ready` answer 200 when MongoDB and Redis take its writes too. A frozen process answers nothing.
 */
export async function monitorWorker(app: MonitoredParts, work: MonitoredWork, closers: Closers): Promise<void> {
  closers.add(startHeartbeat(app.models, () => work.state(), app.logger));
  const { mongodb, redis, riskModels } = describe(app, closers);
  const stuck = 'An entry of a queue runs for minutes: start the process again, and look for its job in the log.';
  const working = async () => (work.isStuck() ? { state: 'down' as const, reason: stuck } : { state: 'up' as const });
  const state = (): object => {
    const { running, stepAgeMs } = work.state();
    return { running, ...(stepAgeMs !== undefined && { lastStepSeconds: Math.round(stepAgeMs / 1_000) }) };
  };
  const whole = page({ mongodb, redis, riskModels, work: working }, state);
  await serve(app, closers, {
    '/health': whole,
    '/health/ready': whole,
    '/health/live': page({ work: working }, state),
  });
}

function describe(app: MonitoredParts, closers: Closers): Dependencies {
  const dependencies = createDependencies(app);
  closers.add(() => dependencies.close());
  describeProcess(app);
  describeDeployment(app, dependencies);
  return dependencies;
}

const page =
  (dependencies: Parameters<typeof reportHealth>[0], more: () => object = () => ({})) =>
  async () => {
    const report = await reportHealth(dependencies);
    return jsonAnswer(report.status === 'up' ? 200 : 503, { ...report, ...more() });
  };

async function serve({ config, logger, metrics }: MonitoredParts, closers: Closers, pages: MonitoringPages) {
  if (config.metricsPort === undefined) return;
  const { registry } = metrics;
  const server = await startMonitoringServer(
    {
      ...pages,
      '/metrics': async () => ({ status: 200, type: registry.contentType, body: await registry.metrics() }),
    },
    { host: config.metricsHost, port: config.metricsPort, logger },
  );
  closers.add(() => server.close());
  logger.info({ port: server.port }, 'health and metrics are served');
}
