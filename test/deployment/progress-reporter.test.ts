// Covers scripts/progress-reporter.ts: the progress that a run of the tests prints.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { expect, test } from 'vitest';

import { temporaryDirectory } from '../support/temporary-directory.js';

/** Runs vitest with the reporter on files of the given texts. */
async function report(files: Record<string, string>) {
  const root = await temporaryDirectory();
  const reporter = [resolve('scripts/progress-reporter.ts'), { everySeconds: 0.1 }];
  writeFileSync(
    join(root, 'vitest.config.mjs'),
    `export default { test: { globals: true, include: ['*.test.mjs'], reporters: [${JSON.stringify(reporter)}] } };`,
  );
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [resolve('node_modules/vitest/vitest.mjs'), 'run', '--root', root],
    { encoding: 'utf8', env: { PATH: process.env.PATH, NO_COLOR: '1' } },
  );
  return { status, output: stdout + stderr };
}

const slow = "test('slow', () => new Promise((resolve) => setTimeout(resolve, 600)));";

test('the progress is printed, without the names of files that passed', async () => {
  const { status, output } = await report({ 'slow.test.mjs': slow });
  expect(status).toBe(0);
  expect(output).toMatch(/^==> Tests: 0 done, 0 failed, in 0 of 1 files after \d+ min \d+ s; now .*slow\.test\.mjs$/m);
  expect(output).not.toContain('✓');
  expect(output).toMatch(/Tests +1 passed/);
});

test('a failure is printed in full at the end', async () => {
  const { status, output } = await report({
    'slow.test.mjs': slow,
    'broken.test.mjs': "test('breaks', () => expect(1).toBe(2));",
  });
  expect(status).toBe(1);
  expect(output).toContain('expected 1 to be 2');
  expect(output).toMatch(/Tests +1 failed \| 1 passed/);
});
