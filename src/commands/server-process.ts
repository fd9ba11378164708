import type { Config } from '../config/config.js';
import { describeExit, exitOf, terminate } from '../embedded/child-exit.js';
import type { Engine } from '../embedded/engine.js';
import { spawnEntry } from '../embedded/spawn-entry.js';
import { StartupError } from '../errors.js';

/** The report of an API or worker child to its parent: the child serves, or its start failed. */
type ProcessReport = { readonly ready: string } | { readonly failed: string };

/**
 * Sets the size of a semi-space of the heap's young generation, MiB. The current data of a worker's batch are a few
 * megabytes that live for some milliseconds. The same is true of an API's requests that wait for their audit events.
 * When such data fit in the young generation, they are never copied into the old one.
 */
export const youngGeneration = '--max-semi-space-size=64';

/** Sends a report to the parent. @returns false when there is no parent that still listens */
export function reportToParent(report: ProcessReport): boolean {
  // With a callback, the error of a broken channel goes to the callback. Without one it would be uncaught.
  return process.connected && process.send!(report, undefined, undefined, () => undefined);
}

/**
 * Starts `riskgraph api` or `riskgraph worker` as a child process and waits until it serves.
 * @throws StartupError with the child's own reason when its start fails
 */
export async function startServerProcess(
  command: 'api' | 'worker',
  environment: Record<string, string | undefined>,
): Promise<Engine> {
  const child = spawnEntry(new URL('../cli.js', import.meta.url), {
    args: [command],
    environment,
    nodeOptions: [youngGeneration],
  });
  const exited = exitOf(child);
  const report = await Promise.race([
    new Promise<ProcessReport>((resolve) => child.once('message', (message) => resolve(message as ProcessReport))),
    exited.then((exit): ProcessReport => ({
      failed: `The ${command} process ${describeExit(exit)} before it was ready: see its log above.`,
    })),
  ]);
  if ('failed' in report) {
    await terminate(child, exited);
    throw new StartupError(report.failed);
  }
  return { url: report.ready, pid: child.pid!, exited, stop: () => terminate(child, exited) };
}

/** Builds the settings of a child, from those of `up` and from the started databases. */
export function childEnvironment(
  config: Config,
  engines: { readonly mongoUri: string; readonly redisUrl: string },
  secretKey: string,
): Record<string, string | undefined> {
  return {
    NODE_ENV: config.environment,
    MONGO_URI: engines.mongoUri,
    REDIS_URL: engines.redisUrl,
    SECRET_KEY: secretKey,
    PORT: String(config.port),
    HOST: config.host,
    LOG_LEVEL: config.logLevel,
  };
}
