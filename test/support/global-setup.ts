import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { TestProject } from 'vitest/node';

import { startEngines } from '../../src/embedded/engines.js';
import './modules-from-build.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The MongoDBs of this test run. Take a database of your own from `namespace()`. */
    mongoUris: readonly string[];
    /** The Redis of this test run. Take a key prefix of your own from `namespace()`. */
    redisUrl: string;
  }
}

/**
 * MongoDB keeps a file open for each index for minutes, also when its database was dropped. The databases of a whole run
 * have more files than one process may open.
 */
const engineCount = 4;

/**
 * Runs once before the first test. It brings the build up to date, because the tests' child processes run the build.
 * Then it starts the engines that all tests share. After the last test it ends them and removes their data.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  bringBuildUpToDate();
  project.onTestsRerun(async () => bringBuildUpToDate());
  const dataDirectory = await mkdtemp(join(tmpdir(), 'riskgraph-test-'));
  const started = await Promise.all(
    Array.from({ length: engineCount }, (_, number) =>
      startEngines({ dataDirectory: join(dataDirectory, `${number}`) }),
    ),
  );
  project.provide(
    'mongoUris',
    started.map(({ mongoUri }) => mongoUri),
  );
  project.provide('redisUrl', started[0]!.redisUrl);
  return async () => {
    await Promise.all(started.map((engines) => engines.stop()));
    await rm(dataDirectory, { recursive: true, force: true });
  };
}

/** Builds when a source has changed since the last build, so that no test ever runs against an old one. */
function bringBuildUpToDate(): void {
  const { status } = spawnSync('sh', ['-euc', '. scripts/setup.sh; build'], { stdio: 'inherit' });
  if (status !== 0) throw new Error('The tests run the build (dist/), and it could not be built: see above.');
}
