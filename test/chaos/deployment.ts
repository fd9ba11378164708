import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServerProcess } from '../../src/commands/server-process.js';
import { startEngines } from '../../src/embedded/engines.js';
import { supervise } from '../../src/embedded/supervisor.js';
import { freePort } from '../support/free-port.js';

export type Victim = 'mongodb' | 'redis' | 'api-1' | 'api-2' | 'worker-1' | 'worker-2';

/** Two API nodes, two workers and the engines. Each is a process that starts again when it is killed. */
export interface Deployment {
  readonly apiUrls: readonly string[];
  readonly mongoUri: string;
  readonly redisUrl: string;
  readonly environment: Record<string, string>;
  /** Kills a process with `kill -9`. Returns false when the process is not running at the moment. */
  kill(victim: Victim): boolean;
  close(): Promise<void>;
}

export async function startDeployment(report: (line: string) => void): Promise<Deployment> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'riskgraph-chaos-'));
  const onUnexpectedExit = ({ engine, reason }: { engine: string; reason: string }): void =>
    report(`${engine} ${reason}`);
  const engines = await startEngines({ dataDirectory, onUnexpectedExit });
  const environment = {
    NODE_ENV: 'development',
    MONGO_URI: engines.mongoUri,
    REDIS_URL: engines.redisUrl,
    SECRET_KEY: 'chaos-0123456789-abcdefghijklmnopqrstuvwxyz',
    LOG_LEVEL: 'fatal',
  };
  const ports = await Promise.all([freePort(), freePort()]);
  const start = (name: Victim, command: 'api' | 'worker', extra: Record<string, string> = {}) =>
    supervise(name, () => startServerProcess(command, { ...environment, ...extra }), onUnexpectedExit);
  const [api1, api2, worker1, worker2] = await Promise.all([
    start('api-1', 'api', { PORT: String(ports[0]) }),
    start('api-2', 'api', { PORT: String(ports[1]) }),
    start('worker-1', 'worker'),
    start('worker-2', 'worker'),
  ]);
  const pids: Record<Victim, () => number | undefined> = {
    mongodb: () => engines.pids().mongodb,
    redis: () => engines.pids().redis,
    'api-1': api1.pid,
    'api-2': api2.pid,
    'worker-1': worker1.pid,
    'worker-2': worker2.pid,
  };
  return {
    apiUrls: [api1.url, api2.url],
    mongoUri: engines.mongoUri,
    redisUrl: engines.redisUrl,
    environment,
    kill(victim) {
      const pid = pids[victim]();
      try {
        return pid !== undefined && process.kill(pid, 'SIGKILL');
      } catch {
        return false;
      }
    },
    async close() {
      await Promise.all([api1, api2, worker1, worker2].map((child) => child.stop()));
      await engines.stop();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}
