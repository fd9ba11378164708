import 'reflect-metadata';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Role, type Models, type StoredPatient } from '../../models/index.js';
import { createApp, type App } from '../../src/app.js';
import { ensureOrganization } from '../../src/identity/organizations.js';
import type { Viewer } from '../../src/auth/viewer.js';
import { seedPatients } from '../../src/commands/seed.js';
import { loadConfig, type Config } from '../../src/config/config.js';
import { startEngines, type Engines } from '../../src/embedded/engines.js';
import { createLogger } from '../../src/process/logger.js';

export const secretKey = 'benchmark-0123456789-abcdefghijklmnop';

/** Separate engines in a temporary directory, an app on them, and patients to score. */
export interface BenchSystem {
  /** Holds the files of the engines. */
  readonly dataDirectory: string;
  readonly engines: Engines;
  readonly config: Config;
  readonly app: App;
  readonly viewer: Viewer;
  readonly environment: Record<string, string>;
  close(): Promise<void>;
}

export async function startBenchSystem(patients: number, settings: Record<string, string> = {}): Promise<BenchSystem> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'riskgraph-bench-'));
  const engines = await startEngines({ dataDirectory });
  const environment = {
    MONGO_URI: engines.mongoUri,
    REDIS_URL: engines.redisUrl,
    SECRET_KEY: secretKey,
    LOG_LEVEL: 'error',
    PORT: '0',
    NODE_ENV: 'development',
    ...settings,
  };
  const config = loadConfig(environment);
  const app = await createApp(config, createLogger('error', 'bench'));
  const organization = await ensureOrganization(app.models, 'bench');
  await seedPatients(config, app.models, { count: patients, seed: 1, organization: 'bench' });
  return {
    dataDirectory,
    engines,
    config,
    app,
    environment,
    viewer: {
      username: 'bench',
      role: Role.CLINICIAN,
      organizationId: organization._id.toHexString(),
      expiresAt: Number.MAX_SAFE_INTEGER,
      origin: { requestId: 'bench', address: '127.0.0.1' },
    },
    async close() {
      await app.close();
      await engines.stop();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}

export async function patientIds(models: Models, count: number): Promise<string[]> {
  const patients = await models.patients.find({}, { _id: 1 }).limit(count).lean<Pick<StoredPatient, '_id'>[]>();
  return patients.map(({ _id }) => _id.toHexString());
}

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** Calls `work` for 0 to count - 1, `parallel` at a time. */
export async function inParallel(
  count: number,
  parallel: number,
  work: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      while (next < count) await work(next++);
    }),
  );
}

/** @param sorted ascending */
export const percentile = (sorted: readonly number[], percent: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor((percent / 100) * sorted.length))]!;
