import { Command, Option } from 'commander';
import { StartupError } from '../errors.js';
import { checkCommand } from './model-check.js';
import { initCommand } from './model-init.js';
import { modelVersionCommands } from './model-versions.js';
import { DisagreementError, InvalidModelError } from '../risk/errors.js';
import { explainFile } from '../risk/explain-file.js';
import type { ShapMethod } from '../risk/risk-model.js';

const methods: Readonly<Record<string, ShapMethod>> = {
  'path-dependent': 'PATH_DEPENDENT',
  interventional: 'INTERVENTIONAL',
};

/** `riskgraph model`: tests a model before it serves, and says which versions serve. */
export function modelCommand(): Command {
  const model = new Command('model')
    .description('draft, check and explain model files, and bring versions into a running deployment')
    .addCommand(initCommand())
    .addCommand(checkCommand())
    .addCommand(explainCommand());
  modelVersionCommands().forEach((command) => model.addCommand(command));
  return model;
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
