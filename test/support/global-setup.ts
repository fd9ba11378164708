import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { TestProject } from 'vitest/node';

import { startEngines } from '../../src/embedded/engines.js';
import './modules-from-build.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The MongoDB of this test run. Take a database of your own from `namespace()`. */
    mongoUri: string;
    /** The Redis of this test run. Take a key prefix of your own from `namespace()`. */
    redisUrl: string;
  }
}

/**
 * Runs once before the first test. It brings the build up to date, because the tests' child processes run the build.
 * Then it starts the engines that all tests share. After the last test it ends them and removes their data.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  bringBuildUpToDate();
  project.onTestsRerun(async () => bringBuildUpToDate());
  const dataDirectory = await mkdtemp(join(tmpdir(), 'riskgraph-test-'));
  const engines = await startEngines({ dataDirectory });
  project.provide('mongoUri', engines.mongoUri);
  project.provide('redisUrl', engines.redisUrl);
  return async () => {
    await engines.stop();
    await rm(dataDirectory, { recursive: true, force: true });
  };
}

/** Builds when a source has changed since the last build, so that no test ever runs against an old one. */
function bringBuildUpToDate(): void {
  const { status } = spawnSync('sh', ['-euc', '. scripts/setup.sh; build'], { stdio: 'inherit' });
  if (status !== 0) throw new Error('The tests run the build (dist/), and it could not be built: see above.');
}
