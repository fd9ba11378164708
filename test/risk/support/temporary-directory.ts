import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

/** A directory of the test file's own, gone afterwards. Call it at the top level; the path is there from the first hook on. */
export function useTemporaryDirectory(): { readonly path: string } {
  const directory = { path: '' };
  beforeAll(async () => {
    directory.path = await mkdtemp(join(tmpdir(), 'riskgraph-risk-'));
  });
  afterAll(() => rm(directory.path, { recursive: true, force: true }));
  return directory;
}
