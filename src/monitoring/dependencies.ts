import type { App } from '../app.js';
import { remembered } from '../process/remembered.js';
import { withinTime } from '../process/within-time.js';
import { isDatabaseOutage, isDiskFull, writeProbe } from '../storage/database.js';
import { redisRefusal } from '../storage/redis-fitness.js';
import { whenReady } from '../storage/redis.js';
import { liveWorkers } from './heartbeats.js';

/** Time within which a dependency must answer, milliseconds. */
const probeTimeoutMs = 1_000;

/** The reason and the remedy where no model is served: the last one was retired, or every bundle was refused. */
export const noModelServed =
  'No risk model is served: "riskgraph model list" says whether it was retired, and "riskgraph model add BUNDLE" offers ' +
  'it again. Else check RISK_MODELS_DIRECTORY.';

/** The state of something that a process depends on. */
export interface Dependency {
  readonly state: 'up' | 'down';
  /** The reason why it is down, with the remedy. It holds no address and no secret. */
  readonly reason?: string;
}

/** The states of several dependencies, in the form that the health checks answer with. */
export interface HealthReport {
  readonly status: Dependency['state'];
  readonly dependencies: Readonly<Record<string, Dependency['state']>>;
  /** The reasons of those that are down. Absent when none is. */
  readonly reasons?: Readonly<Record<string, string>>;
}

/** Asks for the states of dependencies. Each answer comes within a second, and is remembered for a second. */
export interface Dependencies {
  /** Tells whether MongoDB answers. */
  mongodbAnswers(): Promise<Dependency>;
  /** Writes to MongoDB. */
  mongodb(): Promise<Dependency>;
  /** Writes to Redis. */
  redis(): Promise<Dependency>;
  /** Tells whether a worker of the deployment is alive. */
  workers(): Promise<Dependency>;
  riskModels(): Promise<Dependency>;
  close(): void;
}

export type DependencyParts = Pick<App, 'config' | 'database' | 'models' | 'registry' | 'connectRedis'>;

export function createDependencies(app: DependencyParts): Dependencies {
  const { config, database, models, registry } = app;
  const redis = app.connectRedis('failing-fast');
  const silentMongo = 'MongoDB does not answer: check that it runs and can be reached.';
  const noWorker = 'No worker is alive, so accepted jobs wait: start one, or look into the log of those that run.';
  return {
    mongodbAnswers: remembered(() =>
      probe(silentMongo, async () => {
        await database.db!.admin().ping();
        return undefined;
      }),
    ),
    mongodb: remembered(() =>
      probe(silentMongo, () =>
        writeProbe(database).then(
          () => undefined,
          (error: unknown) => mongoRefusal(error) ?? silentMongo,
        ),
      ),
    ),
    redis: remembered(() =>
      probe('Redis does not answer: check that it runs and can be reached.', async () => {
        // A process that has just started may be asked before this connection is there.
        await whenReady(redis);
        return redisRefusal(redis, config.redisPrefix);
      }),
    ),
    workers: remembered(() =>
      probe('MongoDB does not answer, and so it is not known whether a worker is alive.', async () =>
        (await liveWorkers(models)).length > 0 ? undefined : noWorker,
      ),
    ),
    riskModels: async () => (registry.list().length > 0 ? { state: 'up' } : { state: 'down', reason: noModelServed }),
    close: () => redis.disconnect(),
  };
}

/** Makes the report of several dependencies. It is down when one of them is. */
export async function reportHealth(
  dependencies: Readonly<Record<string, () => Promise<Dependency>>>,
): Promise<HealthReport> {
  const states = await Promise.all(
    Object.entries(dependencies).map(async ([name, ask]) => [name, await ask()] as const),
  );
  const reasons = states.flatMap(([name, { reason }]) => (reason === undefined ? [] : [[name, reason] as const]));
  return {
    status: states.every(([, { state }]) => state === 'up') ? 'up' : 'down',
    dependencies: Object.fromEntries(states.map(([name, { state }]) => [name, state])),
    ...(reasons.length > 0 && { reasons: Object.fromEntries(reasons) }),
  };
}

/** @param ask gives the reason why it is down, or undefined when it is up. An error of it counts as no answer. */
async function probe(noAnswer: string, ask: () => Promise<string | undefined>): Promise<Dependency> {
  const reason = await withinTime(
    ask().catch(() => noAnswer),
    probeTimeoutMs,
    () => noAnswer,
  );
  return reason === undefined ? { state: 'up' } : { state: 'down', reason };
}

/** @returns undefined when MongoDB did not answer at all */
function mongoRefusal(error: unknown): string | undefined {
  if (isDiskFull(error)) return "MongoDB's disk is full: make room on it. Nothing is accepted meanwhile.";
  if (isDatabaseOutage(error)) return undefined;
  const { code } = error as { code?: unknown };
  return `MongoDB refuses writes (code ${typeof code === 'number' ? code : 'unknown'}): see its log.`;
}
