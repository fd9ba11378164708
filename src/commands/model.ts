import { performance } from 'node:perf_hooks';
import Table from 'cli-table3';
import { Command, Option } from 'commander';
import { StartupError } from '../errors.js';
import { checkModel } from '../risk/check/check-model.js';
import { modelVersionCommands } from './model-versions.js';
import type { CheckProgress, CheckReport } from '../risk/check/report.js';
import { DisagreementError, InvalidModelError, oneLine } from '../risk/errors.js';
import { explainFile } from '../risk/explain-file.js';
import type { ShapMethod } from '../risk/risk-model.js';
import { type ProgressBar, startProgressBar } from './progress-bar.js';

const methods: Readonly<Record<string, ShapMethod>> = {
  'path-dependent': 'PATH_DEPENDENT',
  interventional: 'INTERVENTIONAL',
};

/** `riskgraph model`: tests a model before it serves, and says which versions serve. */
export function modelCommand(): Command {
  const model = new Command('model')
    .description('check and explain model files, and bring versions into a running deployment')
    .addCommand(checkCommand())
    .addCommand(explainCommand());
  modelVersionCommands().forEach((command) => model.addCommand(command));
  return model;
}

function checkCommand(): Command {
  return new Command('check')
    .description(
      'prove a bundle, or a bare .onnx file: parses, runs, agrees with ONNX Runtime, adds up; exits 1 on any issue',
    )
    .argument('<path>', 'bundle directory or .onnx file')
    .action(async (path: string) => {
      const progress = checkProgress();
      const report = await checkModel(path, progress.show).finally(progress.stop);
      process.stdout.write(`${renderReport(report)}\n`);
      const failed = report.results.filter((result) => !result.ok);
      if (failed.length > 0)
        throw new StartupError(
          `${oneLine(path)} must not serve, ${failed.length} of ${report.results.length} checks failed: ` +
            `${failed[0]!.check}: ${failed[0]!.detail}`,
        );
    });
}

/** Milliseconds before progress is shown. Most checks take less. */
const patience = 1_000;

/** Shows the progress of long checks on standard error. */
function checkProgress(): { show: CheckProgress; stop: () => void } {
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

function explainCommand(): Command {
  return new Command('explain')
    .description('print exact SHAP values of rows as JSON, in the raw output space of the model')
    .requiredOption('--model <file>', 'the .onnx file')
    .requiredOption('--rows <file>', 'JSON: an array of rows of numbers, null = missing')
    .addOption(new Option('--method <method>', 'which SHAP values').choices(Object.keys(methods)).makeOptionMandatory())
    .option('--background <file>', 'JSON rows that stand for "feature unknown"')
    .action(
      async ({
        model,
        rows,
        method,
        background,
      }: {
        model: string;
        rows: string;
        method: string;
        background?: string;
      }) => {
        const explanation = await explainFile({ model, rows, method: methods[method]!, background }).catch(
          (error: unknown) => {
            throw error instanceof InvalidModelError || error instanceof DisagreementError
              ? new StartupError(error.message)
              : error;
          },
        );
        process.stdout.write(`${JSON.stringify(explanation)}\n`);
      },
    );
}

/** Renders a table of checks, their outcomes and details. Details are wrapped to the width of the terminal. */
function renderReport({ results }: CheckReport): string {
  const width = Math.min(160, Math.max(80, process.stdout.columns ?? 120));
  const first = Math.max(...results.map(({ check }) => check.length)) + 2;
  const table = new Table({
    head: ['check', '', 'detail'],
    colWidths: [first, 6, width - first - 10],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  results.forEach(({ check, ok, detail }) => table.push([check, ok ? 'ok' : 'FAIL', detail]));
  return table.toString();
}
