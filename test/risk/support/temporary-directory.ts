import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

/** A directory for one test file, removed afterwards. Call it at the top level. It exists from the first hook on. */
export function useTemporaryDirectory(): { readonly path: string } {
  const directory = { path: '' };
  beforeAll(async () => {
    directory.path = await mkdtemp(join(tmpdir(), 'riskgraph-risk-'));
  });
  afterAll(() => rm(directory.path, { recursive: true, force: true }));
  return directory;
}
