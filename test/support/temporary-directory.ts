import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from './at-end.js';

/**
 * An empty directory that is removed when the running test ends or, made at the top of a file, with that file. Call it
 * before anything that must stop first.
 */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'riskgraph-test-'));
  atEnd(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
