import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { expect, test } from 'vitest';

import { temporaryDirectory } from '../support/temporary-directory.js';

const file = { name: resolve('test/slow.test.ts'), startTime: 1_000, endTime: 8_000 };
const passing = { ...file, status: 'passed', assertionResults: [{ status: 'passed' }] };
const failing = { ...file, status: 'failed', assertionResults: [{ status: 'failed' }] };
const unloadable = { ...file, status: 'failed', assertionResults: [] };

test.each([
  {
    what: 'all passed',
    numFailedTests: 0,
    files: [passing],
    check: 0,
    leftovers: 0,
    tests: 0,
    last: '7 passed, 0 failed',
    status: 0,
  },
  {
    what: 'a test failed',
    numFailedTests: 2,
    files: [failing],
    check: 0,
    leftovers: 0,
    tests: 1,
    last: '7 passed, 2 failed',
    status: 1,
  },
  {
    what: 'a file did not load',
    numFailedTests: 0,
    files: [passing, unloadable],
    check: 0,
    leftovers: 0,
    tests: 1,
    last: '7 passed, 1 failed',
    status: 1,
  },
  {
    what: 'an error outside any test',
    numFailedTests: 0,
    files: [passing],
    check: 0,
    leftovers: 0,
    tests: 1,
    last: '7 passed, 1 failed',
    status: 1,
  },
  {
    what: 'the check failed',
    numFailedTests: 1,
    files: [failing],
    check: 2,
    leftovers: 0,
    tests: 1,
    last: '7 passed, 2 failed',
    status: 1,
  },
  {
    what: 'something was left',
    numFailedTests: 0,
    files: [passing],
    check: 0,
    leftovers: 1,
    tests: 0,
    last: '7 passed, 1 failed',
    status: 1,
  },
])('$what: $last', async ({ numFailedTests, files, check, leftovers, tests, last, status }) => {
  const report = join(await temporaryDirectory(), 'report.json');
  writeFileSync(report, JSON.stringify({ numPassedTests: 7, numFailedTests, testResults: files }));
  const result = spawnSync(
    process.execPath,
    ['scripts/summarize-tests.mjs', report, ...[check, tests, leftovers].map(String)],
    {
      encoding: 'utf8',
    },
  );
  const lines = result.stdout.trim().split('\n');
  expect(lines.at(-2)).toContain('test/slow.test.ts 7');
  expect(lines.at(-1)).toBe(last);
  expect(result.status).toBe(status);
});

test('a missing report is a failure', async () => {
  const result = spawnSync(
    process.execPath,
    ['scripts/summarize-tests.mjs', join(await temporaryDirectory(), 'missing'), '0', '1', '0'],
    { encoding: 'utf8' },
  );
  expect(result).toMatchObject({ stdout: '0 passed, 1 failed\n', status: 1 });
});
