import cluster from 'node:cluster';
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
import { keepRequestsYoung } from '../process/short-lived-objects.js';
import { commandConfig } from './environment.js';
import { followLogSignals } from './log-signals.js';
import { drainSecondsOf } from './process-group.js';
import { reportToParent, sendSignsOfLife, type ParentOrder } from './server-process.js';
import { endWhenStuck, watchEventLoop } from './watchdog.js';

/** Serves the API in this process, until it is stopped. */
export const serveApi = (): Promise<void> =>
  serve('api', async (app) => {
    const { startApi } = await import('../api.js');
    const server = await startApi(app);
    return { url: server.url, drain: server.drain, close: () => server.close() };
  });

/** Runs scoring jobs in this process, until it is stopped. */
export const serveWorker = (): Promise<void> =>
  serve('worker', async (app) => {
    // A worker needs neither the schema nor Fastify.
    const { startWorkers } = await import('../../workers/index.js');
    const workers = await startWorkers(app);
    return { url: 'worker', isStuck: () => workers.isStuck(), close: () => workers.close() };
  });

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

/** Loads the package that sends errors. @throws StartupError when it is not installed */
export const loadErrorReports = () =>
  loadOptional(() => import('../process/error-reports.js'), 'SENTRY_DSN', ['@sentry/node']);

/** @throws StartupError when errors are to be sent, and the package is not installed */
async function errorReports({ sentryDsn: dsn, environment }: Config, service: string) {
  if (dsn === undefined) return undefined;
  const { startErrorReports } = await loadErrorReports();
  return startErrorReports({ dsn, environment, service, version: packageVersion() });
}

/**
 * Runs a process until a signal, or until its parent is gone. Then it drains the API, closes it or the worker, and the
 * app after it. A second signal ends the draining.
 */
async function serve(name: string, start: (app: App) => Promise<Served>): Promise<void> {
  keepRequestsYoung();
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
  const hurry = new AbortController();
  let stopping: Promise<void> | undefined;
  let exitCode = 0;
  const stop = (reason: string, leavesPort = false): void => {
    stopping ??= (async () => {
      logger.info({ reason }, `${name} stops`);
      endWatch();
      await served.drain?.(drainSecondsOf(config), { hurry: hurry.signal, leavesPort });
      setTimeout(() => process.exit(1), patienceMs).unref();
      await served.close();
      process.exit(exitCode);
    })().catch((error: unknown) => {
      logError(logger, error, `${name} did not stop cleanly`);
      process.exit(1);
    });
  };
  const endForNewerData = (stored: number): void => {
    logger.fatal({ stored, known: dataVersion }, newerData(stored));
    exitCode = 1;
    stop('newer data');
    hurry.abort();
  };
  const orders: Readonly<Record<ParentOrder, () => void>> = {
    leave: () => stop('replaced', true),
    hurry: () => hurry.abort(),
  };
  if (cluster.worker) followSupervisor(cluster.worker, orders, () => stop('SIGTERM'));
  else
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
      process.on(signal, () => {
        if (stopping) hurry.abort();
        stop(signal);
      });
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
  watchEventLoop({ name: logName });
  endWhenStuck(served.isStuck, logger, () => {
    exitCode = 1;
    stop('stuck work');
    hurry.abort();
  });
  if (name === 'api') process.stdout.write(`RiskGraph API on ${served.url}/graphql\n`);
}

/**
 * Follows the process that started this one together with its siblings. A signal to all of them reaches both, so Ctrl-C
 * and the end of a terminal are left to it, and so is the hurry of a second SIGTERM.
 */
function followSupervisor(
  worker: NonNullable<typeof cluster.worker>,
  orders: Readonly<Record<ParentOrder, () => void>>,
  onStop: () => void,
): void {
  process.on('SIGINT', () => undefined);
  process.on('SIGHUP', () => undefined);
  process.on('SIGTERM', onStop);
  process.on('message', (message: { readonly order?: ParentOrder }) => message.order && orders[message.order]());
  // Else node:cluster would end this process at once when the supervisor is gone.
  worker.exitedAfterDisconnect = true;
}
