import { Command, InvalidArgumentError } from 'commander';
import { checkModel } from '../risk/check/check-model.js';
import { type InitOptions, initBundle } from '../risk/draft/init-bundle.js';
import { checkProgress, printReport, requireSound } from './model-check.js';
import { printLine } from './print.js';

interface Given {
  readonly csv?: string;
  readonly target?: string;
  readonly features?: string;
  readonly name?: string;
  readonly out?: string;
  readonly unit?: string;
  readonly riskClass?: string;
  readonly background: number;
}

/** More rows make explanations slow and no better. */
const mostBackgroundRows = 1000;

/** `riskgraph model init`: drafts a bundle around an exported model, checks it, and says what is left to a person. */
export function initCommand(): Command {
  return new Command('init')
    .description('draft a bundle from an .onnx file and its training data; checks it, and says what to fill in')
    .argument('<model.onnx>', 'the exported model')
    .option('--csv <file>', 'training data: a header, then one line per patient; read as a stream')
    .option('--target <column>', 'the column of the CSV that the model predicts')
    .option('--features <columns>', 'the columns of the features in the order of training, with commas between them')
    .option('--name <name>', 'name of the model')
    .option('--out <directory>', 'the new bundle directory; default: the name of the model file')
    .option('--unit <ucum>', 'UCUM unit, when the model gives a quantity')
    .option('--risk-class <class>', 'the class that is the risk, when the model has more than two; default: the last')
    .option('--background <rows>', 'rows of the background set, made from the CSV; 0 for none', rowsOf, 100)
    .action(init);
}

async function init(model: string, { out, features, ...given }: Given): Promise<void> {
  const directory = out ?? model.replace(/^.*[\\/]/, '').replace(/\.onnx$/i, '');
  const options: InitOptions = {
    ...given,
    model,
    directory,
    ...(features !== undefined && { features: features.split(',').map((name) => name.trim()) }),
  };
  const points = await initBundle(options);
  printLine(`${directory} was written. It is a draft.`);
  const progress = checkProgress();
  const report = await checkModel(directory, { progress: progress.show }).finally(progress.stop);
  printReport(report);
  printLine('Only a person can fill in:');
  points.forEach((point) => printLine(`- ${point}`));
  printLine(`Then run: riskgraph model check ${directory}`);
  requireSound(directory, report);
}

function rowsOf(text: string): number {
  const rows = Number(text);
  if (!/^\d+$/.test(text) || rows > mostBackgroundRows)
    throw new InvalidArgumentError(`It must be a whole number from 0 to ${mostBackgroundRows}.`);
  return rows;
}
