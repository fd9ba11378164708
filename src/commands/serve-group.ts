import { createLogFile, createLogger, logError } from '../process/logger.js';
import { commandConfig } from './environment.js';
import { followLogSignals } from './log-signals.js';
import { startProcessGroup } from './process-group.js';
import { reportToParent } from './server-process.js';

/**
 * Runs several processes of one kind until a signal, or until the parent of this process is gone.
 * - SIGTERM and SIGINT stop all of them. A second one ends the draining.
 * - SIGHUP replaces them one after the other. On a terminal it stops them, because it tells that the terminal is gone.
 * - SIGUSR1 and SIGUSR2 are for the log, and reach each process.
 */
export async function serveGroup(command: 'api' | 'worker', count: number): Promise<void> {
  const config = commandConfig();
  const name = `riskgraph-${command}`;
  const file = config.logFile === undefined ? undefined : createLogFile(config.logFile, name);
  const logger = createLogger(config.logLevel, name, { file });
  followLogSignals(logger, file);
  const isOnTerminal = process.stdin.isTTY || process.stdout.isTTY;
  if (command === 'api' && count > 1 && config.metricsPort === undefined)
    logger.warn('/metrics on the shared port is that of the process that answers: set METRICS_PORT for those of each');
  // A process that is replaced while it starts would end: the wish waits for the end of the start.
  let early = false;
  const remember = (): void => void (early = true);
  if (!isOnTerminal) process.on('SIGHUP', remember);
  const group = await startProcessGroup({
    command,
    count,
    config,
    environment: {},
    metricsPort: config.metricsPort,
    report: ({ engine, reason, restartInMs }) =>
      logger.error({ process: engine, reason, restartInMs }, 'a process has ended: it is started again'),
  });
  const stop = (reason: string): void => {
    logger.info({ reason }, `all ${command} processes stop`);
    group.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logError(logger, error, `a ${command} process did not stop cleanly`);
        process.exit(1);
      },
    );
  };
  const replace = (): void => {
    logger.info(`the ${command} processes are replaced one after the other`);
    group.replace().then(
      () => logger.info(`all ${command} processes are replaced`),
      (error: unknown) => logError(logger, error, `a new ${command} process does not start: the others go on`),
    );
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGHUP', () => (isOnTerminal ? stop('SIGHUP') : replace()));
  process.removeListener('SIGHUP', remember);
  if (early) replace();
  if (process.send) {
    process.on('disconnect', () => stop('parent gone'));
    if (!process.connected) stop('parent gone');
    reportToParent({ ready: group.url });
  } else if (command === 'api') process.stdout.write(`RiskGraph API on ${group.url}/graphql\n`);
}
