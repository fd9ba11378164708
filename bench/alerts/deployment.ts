import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, cpSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import { Types, type Connection } from 'mongoose';
import { createModels, Role, type Models } from '../../models/index.js';
import { apiClient } from '../../src/commands/api-client.js';
import type { GraphqlClient } from '../../src/client/graphql-client.js';
import type { Closers } from '../../src/closers.js';
import { startEngines, type Engines } from '../../src/embedded/engines.js';
import { createAccessTokens } from '../../src/identity/access-token.js';
import { ensureOrganization } from '../../src/identity/organizations.js';
import { connectDatabase } from '../../src/storage/database.js';
import { freePort } from '../../test/support/free-port.js';
import { holdingProxy, type HoldingProxy } from '../../test/support/holding-proxy.js';
import { whenReady } from './monitoring.js';

/** An API or a worker that runs. */
export interface Member {
  readonly kind: 'api' | 'worker';
  readonly metricsPort: number;
  readonly url: string;
  readonly pid: number;
  signal(signal: NodeJS.Signals): void;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
}

/** How a process is started in another way than the others. */
export interface Difference {
  readonly environment?: Readonly<Record<string, string>>;
  /** Folder of another release. */
  readonly release?: string;
  /** Most files of the process. */
  readonly files?: number;
  /** Files that are open when the process starts. @defaultValue 0 */
  readonly openFiles?: number;
}

/** A deployment whose parts can be broken. */
export interface Deployment {
  readonly folder: string;
  readonly engines: Engines;
  readonly database: Connection;
  readonly models: Models;
  readonly redis: Redis;
  readonly client: GraphqlClient;
  /** Callers of the first API, each a user of its own. */
  readonly clients: readonly GraphqlClient[];
  /** The way of the second API to MongoDB. */
  readonly proxy: HoldingProxy;
  /** Callers of the second API, each a user of its own. */
  readonly proxiedClients: readonly GraphqlClient[];
  readonly organizationId: string;
  readonly members: Set<Member>;
  readonly environment: Readonly<Record<string, string>>;
  /** Tells Prometheus of the members. */
  onChange: () => Promise<void>;
  start(kind: Member['kind'], difference?: Difference): Promise<Member>;
  /** Takes a member out of the list of Prometheus too, and ends it. */
  remove(member: Member): Promise<void>;
}

/**
 * Starts engines, two APIs and two workers of the build. The second API reaches MongoDB through a proxy. The closers end
 * each part that was started.
 */
export async function startDeployment(folder: string, closers: Closers): Promise<Deployment> {
  const data = join(folder, 'data');
  mkdirSync(data);
  const engines = await startEngines({ dataDirectory: data });
  closers.add(() => engines.stop());
  const secretKey = 'alerts-0123456789-abcdefghijklmnopqrstuvwxyz';
  const environment = {
    NODE_ENV: 'development',
    MONGO_URI: engines.mongoUri,
    REDIS_URL: engines.redisUrl,
    SECRET_KEY: secretKey,
    LOG_LEVEL: 'silent',
    PORT: '0',
    JOB_LEASE_MS: '2000',
    OPERATION_TIMEOUT_SECONDS: '5',
    BREAK_GLASS_PER_HOUR: '2',
  };
  const database = await connectDatabase(engines.mongoUri);
  closers.add(() => database.close());
  const models = createModels(database);
  const redis = new Redis(engines.redisUrl, { maxRetriesPerRequest: null });
  closers.add(() => redis.disconnect());
  const proxy = await holdingProxy(engines.mongoUri);
  closers.add(() => proxy.close());
  const members = new Set<Member>();
  const deployment: Deployment = {
    folder,
    engines,
    database,
    models,
    redis,
    members,
    environment,
    organizationId: '',
    client: undefined as never,
    clients: [],
    proxy,
    proxiedClients: [],
    onChange: async () => undefined,
    async start(kind, difference) {
      const member = await startMember(kind, environment, difference);
      members.add(member);
      await deployment.onChange();
      return member;
    },
    async remove(member) {
      members.delete(member);
      await deployment.onChange();
      await member.kill();
    },
  };
  closers.add(() => Promise.all([...members].map((member) => member.kill())));
  // All of them have started or failed before anything is closed.
  const starts = await Promise.allSettled([
    deployment.start('api'),
    deployment.start('api', { environment: { MONGO_URI: proxy.url } }),
    deployment.start('worker'),
    deployment.start('worker'),
  ]);
  const [api, proxied] = starts.map((start) => {
    if (start.status === 'rejected') throw start.reason;
    return start.value;
  });
  const organizationId = (await ensureOrganization(models, 'alerts'))._id.toHexString();
  const tokens = createAccessTokens(secretKey);
  const callersOf = async ({ url }: Member): Promise<GraphqlClient[]> => {
    const names = ['first', ...Array.from({ length: 19 }, (_, at) => `clinician-${at}`)];
    const callers = await Promise.all(
      names.map(async (username) =>
        apiClient(url, await tokens.sign({ username, role: Role.CLINICIAN, organizationId }, 7_200)),
      ),
    );
    closers.add(() => Promise.all(callers.map((caller) => caller.close())));
    return callers;
  };
  const [clients, proxiedClients] = [await callersOf(api!), await callersOf(proxied!)];
  return Object.assign(deployment, { organizationId, clients, client: clients[0]!, proxiedClients });
}

async function startMember(
  kind: Member['kind'],
  environment: Readonly<Record<string, string>>,
  { environment: more, release = resolve('.'), files = 16_384, openFiles = 0 }: Difference = {},
): Promise<Member> {
  const [port, metricsPort] = await Promise.all([freePort(), freePort()]);
  const cli = join(release, 'dist/src/cli.js');
  const nothing = openSync('/dev/null', 'r');
  const child: ChildProcess = spawn('sh', ['-c', `ulimit -n ${files}; exec "$0" "$@"`, process.execPath, cli, kind], {
    env: { PATH: process.env.PATH, ...environment, ...more, PORT: String(port), METRICS_PORT: String(metricsPort) },
    stdio: ['ignore', 'ignore', 'inherit', ...new Array<number>(openFiles).fill(nothing)],
  });
  closeSync(nothing);
  const exited = new Promise((end) => child.once('exit', end));
  await whenReady(`http://127.0.0.1:${metricsPort}/health/live`).catch(async (error: unknown) => {
    child.kill('SIGKILL');
    await exited;
    throw error;
  });
  return {
    kind,
    metricsPort,
    url: `http://127.0.0.1:${port}`,
    pid: child.pid!,
    signal: (signal) => void child.kill(signal),
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/**
 * Copies the build as a release of another version, in which the explanations of models are wrong.
 * @returns its folder
 */
export function spoiltRelease(folder: string): string {
  const release = join(folder, 'release');
  cpSync('dist', join(release, 'dist'), { recursive: true });
  for (const name of ['node_modules', 'risk-models', 'schema']) symlinkSync(resolve(name), join(release, name));
  const own = JSON.parse(readFileSync('package.json', 'utf8')) as object;
  writeFileSync(join(release, 'package.json'), JSON.stringify({ ...own, version: '0.0.9' }));
  const file = join(release, 'dist/src/scoring/score-patient.js');
  const source = readFileSync(file, 'utf8');
  const spoilt = source.replace(/await model\.explain\(([^;]*)\);/, 'spoil(await model.explain($1));');
  if (spoilt === source) throw new Error('the place where a patient is explained has changed: see spoiltRelease');
  writeFileSync(
    file,
    `${spoilt}\nfunction spoil(all) { for (const { contributions } of all) contributions[0] += 0.001; return all; }\n`,
  );
  return release;
}

/** Copies the shipped model as another version. @returns the folder of models */
export function otherModels(folder: string): string {
  const models = join(folder, 'models');
  cpSync('risk-models', models, { recursive: true });
  const manifest = join(models, 'heart-disease/manifest.json');
  const content = JSON.parse(readFileSync(manifest, 'utf8')) as object;
  writeFileSync(manifest, JSON.stringify({ ...content, version: '9.9.9' }));
  return models;
}

/** An id of a document that was made some hours ago. */
export const idOfHoursAgo = (hours: number): Types.ObjectId =>
  Types.ObjectId.createFromTime(Math.floor(Date.now() / 1_000) - hours * 3_600);
