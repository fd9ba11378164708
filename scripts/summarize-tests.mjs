/**
 * Prints the slowest test files, and `N passed, N failed` as its last line. Exits 1 when anything failed.
 * Arguments: vitest's JSON report, and the exit codes of `npm run check`, of vitest and of `scripts/leftovers.mjs`.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [reportPath, checkCode, testCode, leftoversCode] = process.argv.slice(2);

/** Reads the report. It is empty when vitest died before it could write one. */
function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, testResults: [] };
  }
}

const report = readReport(reportPath);
// A file that does not load has no failed tests, but counts as a failure.
const unloadable = report.testResults.filter(
  (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
).length;
let failed = report.numFailedTests + unloadable;
// A failure outside of any test: an unhandled rejection, an engine that does not start, no report at all.
if (failed === 0 && testCode !== '0') failed = 1;
if (checkCode !== '0') {
  console.log('npm run check failed, see above; it counts as one failure');
  failed += 1;
}
if (leftoversCode !== '0') {
  console.log('the tests left something behind, see above; it counts as one failure');
  failed += 1;
}
const seconds = ({ startTime, endTime }) => Math.round((endTime - startTime) / 1_000);
const slowest = report.testResults.toSorted((left, right) => seconds(right) - seconds(left)).slice(0, 20);
if (slowest.length > 0)
  console.log(
    `The slowest files, seconds: ${slowest.map((file) => `${relative('.', file.name)} ${seconds(file)}`).join(', ')}`,
  );
console.log(`${report.numPassedTests} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
