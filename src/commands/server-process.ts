import type { Config } from '../config/config.js';
import { describeExit, exitOf, terminate } from '../embedded/child-exit.js';
import type { Engine } from '../embedded/engine.js';
import { spawnEntry } from '../embedded/spawn-entry.js';
import { StartupError } from '../errors.js';

/** What an API or worker child tells its parent once it serves, or instead of it. */
type ProcessReport = { readonly ready: string } | { readonly failed: string };

/**
 * What a worker has in its hands of a batch, and an API of the requests that wait for their audit events, is a few megabytes
 * that live for some milliseconds. Where they fit the young generation of the heap they are never copied into the old one.
 * MiB a half.
 */
export const youngGeneration = '--max-semi-space-size=64';

/** Tells the parent, if there is one that still listens. */
export function reportToParent(report: ProcessReport): boolean {
  // With a callback a broken channel is its affair; without one it would be an uncaught error.
  return process.connected && process.send!(report, undefined, undefined, () => undefined);
}

/**
 * Starts `riskgraph api` or `riskgraph worker` as a child process and waits until it serves.
 * @throws StartupError with the child's own reason when it does not
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

/** The settings of a child, from those of `up` and what it started. */
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
