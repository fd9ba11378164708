import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

/** An empty directory that is removed when the running test ends. Call it before anything that must stop first. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'riskgraph-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
