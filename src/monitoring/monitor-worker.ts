import type { App } from '../app.js';
import type { Closers } from '../closers.js';
import { createDependencies, reportHealth, type DependencyParts } from './dependencies.js';
import { startHeartbeat, type WorkState } from './heartbeats.js';
import { jsonAnswer, startMonitoringServer } from './server.js';

/** The parts of the app that the monitoring of a worker uses. */
export type MonitoredParts = DependencyParts & Pick<App, 'logger'>;

/** The work of a worker process, as it sees it itself. */
interface MonitoredWork {
  state(): WorkState;
  isStuck(): boolean;
}

/**
 * Writes the signs of life of a worker and, with METRICS_PORT, serves its health:
 * - `/health/live` answers 200 as long as its event loop turns and no work is stuck.
 * - `/health` and `/health/ready` answer 200 when MongoDB and Redis take its writes too. A frozen process answers nothing.
 */
export async function monitorWorker(app: MonitoredParts, work: MonitoredWork, closers: Closers): Promise<void> {
  const { config, logger, models } = app;
  closers.add(startHeartbeat(models, () => work.state(), logger));
  if (config.metricsPort === undefined) return;
  const { mongodb, redis, riskModels, close } = createDependencies(app);
  closers.add(close);
  const stuck = 'An entry of a queue runs for minutes: start the process again, and look for its job in the log.';
  const working = async () => (work.isStuck() ? { state: 'down' as const, reason: stuck } : { state: 'up' as const });
  const page = (dependencies: Parameters<typeof reportHealth>[0]) => async () => {
    const report = await reportHealth(dependencies);
    const { running, stepAgeMs } = work.state();
    return jsonAnswer(report.status === 'up' ? 200 : 503, {
      ...report,
      running,
      ...(stepAgeMs !== undefined && { lastStepSeconds: Math.round(stepAgeMs / 1_000) }),
    });
  };
  const whole = page({ mongodb, redis, riskModels, work: working });
  const server = await startMonitoringServer(
    { '/health': whole, '/health/ready': whole, '/health/live': page({ work: working }) },
    { host: config.metricsHost, port: config.metricsPort, logger },
  );
  closers.add(() => server.close());
  logger.info({ port: server.port }, 'health of the worker is served');
}
