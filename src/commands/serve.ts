import { Command } from 'commander';
import { startWorkers } from '../../workers/index.js';
import { startApi } from '../api.js';
import { createApp, type App } from '../app.js';
import { startOrClose } from '../closers.js';
import { createLogger, logError } from '../process/logger.js';
import { commandConfig } from './environment.js';
import { reportToParent } from './server-process.js';

/** `riskgraph api`: one API process of a deployment. */
export const apiCommand = (): Command =>
  new Command('api').description('serve the API; needs MONGO_URI and REDIS_URL').action(() =>
    serve('api', async (app) => {
      const server = await startApi(app);
      return { url: server.url, close: () => server.close() };
    }),
  );

/** `riskgraph worker`: one worker process of a deployment. */
export const workerCommand = (): Command =>
  new Command('worker').description('run scoring jobs; needs MONGO_URI and REDIS_URL').action(() =>
    serve('worker', async (app) => {
      const workers = await startWorkers(app);
      return { url: 'worker', close: () => workers.close() };
    }),
  );

/** Time within which running work must end after a signal, milliseconds. */
const patienceMs = 15_000;

/**
 * Runs a process until a signal, or until its parent is gone. Then it closes the API or the worker, and the app after
 * it.
 */
async function serve(
  name: string,
  start: (app: App) => Promise<{ readonly url: string; close(): Promise<void> }>,
): Promise<void> {
  const config = commandConfig();
  const logger = createLogger(config.logLevel, `riskgraph-${name}`);
  const served = await startOrClose(
    async (closers) => {
      const app = await createApp(config, logger);
      closers.add(() => app.close());
      const { url, close } = await start(app);
      closers.add(close);
      return { url, close: () => closers.close() };
    },
    (error) => logError(logger, error, 'a part of the failed start did not close', { level: 'warn' }),
  );
  let stopping: Promise<void> | undefined;
  const stop = (reason: string): void => {
    stopping ??= (async () => {
      logger.info({ reason }, `${name} stops`);
      setTimeout(() => process.exit(1), patienceMs).unref();
      await served.close();
      process.exit(0);
    })().catch((error: unknown) => {
      logError(logger, error, `${name} did not stop cleanly`);
      process.exit(1);
    });
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  if (process.send) {
    process.on('disconnect', () => stop('parent gone'));
    reportToParent({ ready: served.url });
  } else if (name === 'api') {
    process.stdout.write(`RiskGraph API on ${served.url}/graphql\n`);
  }
}
