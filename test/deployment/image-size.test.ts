import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

interface LockedPackage {
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly peer?: boolean;
}

const limits = readFileSync('scripts/try-image.mjs', 'utf8');
const limit = (name: string): number => Number(new RegExp(`^const ${name} = (\\d+);`, 'm').exec(limits)![1]);

/** What scripts/trim-packages.sh removes. */
const trimmed =
  /^node_modules\/(?:@0q\/.*|.*\.(?:ts|mts|cts|map)|onnxruntime-node\/bin\/napi-v\d+\/(?!linux\/x64\/).*)$/;

/** Bytes of the files of a folder, without those of packages within it, in blocks of the disk. */
function bytesOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? sum : sum + bytesOf(path);
    return trimmed.test(path) || !entry.isFile() ? sum : sum + 4_096 * Math.ceil(statSync(path).size / 4_096);
  }, 0);
}

test('the packages that run, the build and the base image stay below the most that the image may have', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  const folders = Object.entries(packages)
    .filter(([path, { dev, devOptional, peer }]) => path !== '' && !dev && !devOptional && !peer)
    .map(([path]) => path)
    // Packages for other systems are not installed.
    .filter((path) => statSync(path, { throwIfNoEntry: false }));
  expect(folders.length).toBeGreaterThan(200);
  const mebibytes = [...folders, 'dist', 'risk-models'].reduce((sum, folder) => sum + bytesOf(folder), 0) / 2 ** 20;
  expect(mebibytes).toBeGreaterThan(50);
  expect(mebibytes + limit('baseMebibytes')).toBeLessThan(limit('mostMebibytes'));
});
