import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Record<string, { resolved?: string; integrity?: string; link?: boolean; inBundle?: boolean }>;
};

test('the lock file names no registry, so that packages come from the one that npm is set to', () => {
  const addressed = Object.entries(lock.packages).filter(([, { resolved }]) => resolved !== undefined);
  expect(addressed).toEqual([]);
});

test('every package is pinned by the hash of its content', () => {
  const loose = Object.entries(lock.packages).filter(
    ([path, entry]) => path !== '' && !entry.integrity && !entry.link && !entry.inBundle,
  );
  expect(loose.map(([path]) => path)).toEqual([]);
});
