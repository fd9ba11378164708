import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { TestProject } from 'vitest/node';

import { startEngines } from '../../src/embedded/engines.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The MongoDB of this test run. Take a database of your own from `namespace()`. */
    mongoUri: string;
    /** The Redis of this test run. Take a key prefix of your own from `namespace()`. */
    redisUrl: string;
  }
}

/** Starts the engines that all tests share before the first test, and removes them with their data after the last. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'riskgraph-test-'));
  const engines = await startEngines({ dataDirectory });
  project.provide('mongoUri', engines.mongoUri);
  project.provide('redisUrl', engines.redisUrl);
  return async () => {
    await engines.stop();
    await rm(dataDirectory, { recursive: true, force: true });
  };
}
