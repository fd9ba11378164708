import { performance } from 'node:perf_hooks';
import Table from 'cli-table3';
import { Command } from 'commander';
import { StartupError } from '../errors.js';
import { checkModel } from '../risk/check/check-model.js';
import type { CheckProgress, CheckReport } from '../risk/check/report.js';
import { oneLine } from '../risk/errors.js';
import { type ProgressBar, startProgressBar } from './progress-bar.js';

/** `riskgraph model check`: proves a bundle or a bare file. */
export function checkCommand(): Command {
  return new Command('check')
    .description(
      'prove a bundle, or a bare .onnx file: parses, runs, agrees with ONNX Runtime, adds up; exits 1 on any issue',
    )
    .argument('<path>', 'bundle directory or .onnx file')
    .option('--background <file>', 'JSON rows against which rows are explained, besides those of the bundle')
    .option('--json', 'print the report as JSON')
    .action(async (path: string, { json, background }: { json?: boolean; background?: string }) => {
      const progress = checkProgress();
      const report = await checkModel(path, { progress: progress.show, background }).finally(progress.stop);
      if (json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
      else printReport(report);
      requireSound(path, report);
    });
}

/** Milliseconds before progress is shown. Most checks take less. */
const patience = 1_000;

/** Shows the progress of long checks on standard error. */
export function checkProgress(): { show: CheckProgress; stop: () => void } {
  const begun = performance.now();
  let bar: ProgressBar | undefined;
  return {
    show: (check, done, total) => {
      if (performance.now() - begun < patience) return;
      bar ??= startProgressBar('checking', total);
      bar.update(done, check, total);
    },
    stop: () => bar?.stop(),
  };
}

/** @throws StartupError naming the first check that failed */
export function requireSound(path: string, { results }: CheckReport): void {
  const failed = results.filter((result) => !result.ok);
  if (failed.length > 0)
    throw new StartupError(
      `${oneLine(path)} must not serve, ${failed.length} of ${results.length} checks failed: ` +
        `${failed[0]!.check}: ${failed[0]!.detail}`,
    );
}

/** Prints a table of checks, their outcomes and details. Details are wrapped to the width of the terminal. */
export function printReport({ results }: CheckReport): void {
  const width = Math.min(160, Math.max(80, process.stdout.columns ?? 120));
  const first = Math.max(...results.map(({ check }) => check.length)) + 2;
  const table = new Table({
    head: ['check', '', 'detail'],
    colWidths: [first, 6, width - first - 10],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  results.forEach(({ check, ok, detail }) => table.push([check, ok ? 'ok' : 'FAIL', detail]));
  process.stdout.write(`${table.toString()}\n`);
}
