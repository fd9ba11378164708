import { Command } from 'commander';
import { resolve } from 'node:path';
import { startOrClose, type Closers } from '../closers.js';
import type { Config } from '../config/config.js';
import { openDataDirectory, writeRuntime } from '../embedded/data-directory.js';
import { startEngines } from '../embedded/engines.js';
import type { UnexpectedExit } from '../embedded/supervisor.js';
import { runDemonstration } from './demonstration.js';
import { commandConfig, wholeNumber } from './environment.js';
import { failureLine } from './failure.js';
import { namedDatabase } from './local-access.js';
import { migrateWithProgress } from './migrate.js';
import { printErrorLine } from './print.js';
import { requireFreePort } from '../http/listen.js';
import { localSecretKey } from './secret-key.js';
import { startProcessGroup, type ProcessGroup } from './process-group.js';
import { mostProcesses } from './server-commands.js';
import { childEnvironment } from './server-process.js';

/** The options of `riskgraph up`. */
interface UpOptions {
  readonly demo?: boolean;
  readonly once?: boolean;
  readonly apiProcesses: number;
  readonly workerProcesses: number;
}

/** `riskgraph up`: databases, API and worker of one machine, kept running until Ctrl-C. */
export function upCommand(): Command {
  return new Command('up')
    .description(
      'run everything on this machine: embedded MongoDB and Redis unless MONGO_URI / REDIS_URL are set, API, worker',
    )
    .option('--demo', 'seed 20 synthetic patients and run one scoring job, step by step')
    .option('--once', 'stop everything once it is up, with --demo after the demonstration')
    .option('--api-processes <number>', 'run so many API processes on one port', wholeNumber(1, mostProcesses), 1)
    .option('--worker-processes <number>', 'run so many workers', wholeNumber(1, mostProcesses), 1)
    .action(async ({ demo, once, ...counts }: UpOptions) => {
      // A person reads this terminal, so only warnings and errors are logged.
      const config = commandConfig({ LOG_LEVEL: 'warn' });
      // This line comes first, as a sign of life: a start takes some seconds.
      printErrorLine(
        config.mongoUri ? namedDatabase(config.mongoUri) : `database: the one in ${resolve(config.dataDirectory)}`,
      );
      const system = await startSystem(config, counts);
      const stopped = stopOnSignal(system.stop);
      try {
        if (demo) await runDemonstration(config, system.url);
        else
          process.stdout.write(
            `RiskGraph is up: ${system.url}/graphql (${once ? 'stopping now, as --once asks' : 'Ctrl-C stops it'})\n`,
          );
      } catch (error) {
        await system.stop();
        throw error;
      }
      if (once) {
        await system.stop();
        return;
      }
      await stopped;
    });
}

/** Number of processes of each kind. */
type Counts = Pick<UpOptions, 'apiProcesses' | 'workerProcesses'>;

interface System {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts all parts in order. When a step fails, it stops everything that had started. */
function startSystem(config: Config, counts: Counts): Promise<System> {
  return startOrClose(
    async (closers) => ({ url: await startParts(config, counts, closers), stop: () => closers.close() }),
    (error) => process.stderr.write(`after the failed start: ${failureLine(error)}\n`),
  );
}

/** @returns the URL of the API */
async function startParts(config: Config, counts: Counts, closers: Closers): Promise<string> {
  const directory = await openDataDirectory(config.dataDirectory);
  closers.add(() => directory.close());
  await refuseTakenPort(config);
  const report = ({ engine, reason, restartInMs }: UnexpectedExit): void => {
    process.stderr.write(`${engine} ${reason}: it will start again in ${restartInMs} ms\n`);
  };
  const engines = await startEngines({
    dataDirectory: directory.path,
    mongoUri: config.mongoUri,
    redisUrl: config.redisUrl,
    onUnexpectedExit: report,
  });
  closers.add(() => engines.stop());
  await migrateWithProgress(config, engines.mongoUri);
  const environment = childEnvironment(config, engines, config.secretKey ?? (await localSecretKey(directory.path)));
  const { apiProcesses, workerProcesses } = counts;
  const { metricsPort } = config;
  // The workers take the ports behind those of the APIs.
  const ofWorkers = metricsPort === undefined || metricsPort === 0 ? metricsPort : metricsPort + apiProcesses;
  const group = { config, environment, report };
  const [, api] = await startAll(
    [
      () => startProcessGroup({ ...group, command: 'worker', count: workerProcesses, metricsPort: ofWorkers }),
      () => startProcessGroup({ ...group, command: 'api', count: apiProcesses, metricsPort }),
    ],
    closers,
  );
  await writeRuntime(directory.path, {
    pid: process.pid,
    mongoUri: engines.mongoUri,
    redisUrl: engines.redisUrl,
    port: Number(new URL(api!.url).port),
  });
  return api!.url;
}

/** Starts groups at the same time. Each started group gets its closer, also when another start fails. */
async function startAll(starts: (() => Promise<ProcessGroup>)[], closers: Closers): Promise<ProcessGroup[]> {
  const results = await Promise.allSettled(starts.map((start) => start()));
  const started = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  for (const group of started) closers.add(() => group.stop());
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
  return started;
}

/** Refuses a taken port before two databases are started. @throws StartupError */
async function refuseTakenPort({ host, port }: Config): Promise<void> {
  if (port !== 0) await requireFreePort(host, port);
}

/** Stops everything on Ctrl-C, and resolves after that. A second Ctrl-C does no harm. */
function stopOnSignal(stop: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      stop().then(resolve, reject);
    };
    process.on('SIGINT', end);
    process.on('SIGTERM', end);
    process.on('SIGHUP', end);
  });
}
