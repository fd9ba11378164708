import { Command } from 'commander';
import { startWorkers } from '../../workers/index.js';
import { startApi } from '../api.js';
import { createApp, type App } from '../app.js';
import { startOrClose } from '../closers.js';
import type { HttpServer } from '../http/server.js';
import { dataVersion, newerData, storedDataVersion } from '../storage/data-version.js';
import { answersNewConnection } from '../storage/database.js';
import { watchDatabase } from '../storage/database-watch.js';
import type { Config } from '../config/config.js';
import { createLogFile, createLogger, logError } from '../process/logger.js';
import { loadOptional } from '../process/optional-package.js';
import { packageVersion } from '../process/package-root.js';
import { commandConfig } from './environment.js';
import { followLogSignals } from './log-signals.js';
import { reportToParent, sendSignsOfLife } from './server-process.js';
import { endWhenStuck, watchEventLoop } from './watchdog.js';

/** `riskgraph api`: one API process of a deployment. */
export const apiCommand = (): Command =>
  new Command('api').description('serve the API; needs MONGO_URI and REDIS_URL').action(() =>
    serve('api', async (app) => {
      const server = await startApi(app);
      return { url: server.url, drain: server.drain, close: () => server.close() };
    }),
  );

/** `riskgraph worker`: one worker process of a deployment. */
export const workerCommand = (): Command =>
  new Command('worker').description('run scoring jobs; needs MONGO_URI and REDIS_URL').action(() =>
    serve('worker', async (app) => {
      const workers = await startWorkers(app);
      return { url: 'worker', isStuck: () => workers.isStuck(), close: () => workers.close() };
    }),
  );

/** Seconds in which load balancers notice that an API in production is about to close. */
const productionDrainSeconds = 5;
/** Time within which running work must end after a signal and the draining, milliseconds. */
const patienceMs = 15_000;

/** An API or a worker that runs. */
interface Served {
  readonly url: string;
  readonly drain?: HttpServer['drain'];
  /** Tells whether only a new process helps. */
  readonly isStuck?: () => boolean;
  close(): Promise<void>;
}

/** @throws StartupError when errors are to be sent, and the package is not installed */
async function errorReports({ sentryDsn: dsn, environment }: Config, service: string) {
  if (dsn === undefined) return undefined;
  const { startErrorReports } = await loadOptional(() => import('../process/error-reports.js'), 'SENTRY_DSN', [
    '@sentry/node',
  ]);
  return startErrorReports({ dsn, environment, service, version: packageVersion() });
}

/**
 * Runs a process until a signal, or until its parent is gone. Then it drains the API, closes it or the worker, and the
 * app after it. A second signal ends the draining.
 */
async function serve(name: string, start: (app: App) => Promise<Served>): Promise<void> {
  const config = commandConfig();
  const logName = `riskgraph-${name}`;
  const file = config.logFile === undefined ? undefined : createLogFile(config.logFile, logName);
  const reports = await errorReports(config, logName);
  const logger = createLogger(config.logLevel, logName, { file, report: reports?.report });
  followLogSignals(logger, file);
  const served = await startOrClose(
    async (closers) => {
      const app = await createApp(config, logger);
      closers.add(() => reports?.close());
      closers.add(() => app.close());
      const { url, drain, isStuck = () => false, close } = await start(app);
      closers.add(close);
      return { url, drain, isStuck, database: app.database, close: () => closers.close() };
    },
    (error) => logError(logger, error, 'a part of the failed start did not close', { level: 'warn' }),
  );
  const drainSeconds = config.drainSeconds ?? (config.environment === 'production' ? productionDrainSeconds : 0);
  const hurry = new AbortController();
  let stopping: Promise<void> | undefined;
  let exitCode = 0;
  const stop = (reason: string): void => {
    if (stopping) hurry.abort();
    stopping ??= (async () => {
      logger.info({ reason }, `${name} stops`);
      endWatch();
      await served.drain?.(drainSeconds, hurry.signal);
      setTimeout(() => process.exit(1), patienceMs).unref();
      await served.close();
      process.exit(exitCode);
    })().catch((error: unknown) => {
      logError(logger, error, `${name} did not stop cleanly`);
      process.exit(1);
    });
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGHUP', () => stop('SIGHUP'));
  const endForNewerData = (stored: number): void => {
    logger.fatal({ stored, known: dataVersion }, newerData(stored));
    exitCode = 1;
    stop('newer data');
    hurry.abort();
  };
  const endWatch = watchDatabase({
    async ping() {
      const stored = (await storedDataVersion(served.database)) ?? 0;
      if (stored > dataVersion && !stopping) endForNewerData(stored);
    },
    answersNewConnection: () => answersNewConnection(config.mongoUri!, { tls: config.mongoTls }),
    onStuck() {
      logger.fatal('MongoDB answers new connections, and none of this process: it ends, so that it is started again');
      exitCode = 1;
      stop('no connection to MongoDB');
      hurry.abort();
    },
  });
  if (process.send) {
    process.on('disconnect', () => stop('parent gone'));
    // It may have gone while this process started.
    if (!process.connected) stop('parent gone');
    reportToParent({ ready: served.url });
    sendSignsOfLife(served.isStuck);
    return;
  }
  // Without a parent of ours that would do it, the process ends itself when it hangs.
  watchEventLoop({ name: `riskgraph-${name}` });
  endWhenStuck(served.isStuck, logger, () => {
    exitCode = 1;
    stop('stuck work');
    hurry.abort();
  });
  if (name === 'api') process.stdout.write(`RiskGraph API on ${served.url}/graphql\n`);
}
