import { stringify } from 'csv-stringify/sync';
import type { BulkClient, ResultLine } from './bulk-client.js';
import type { OutputFile } from './output-file.js';
import { printErrorLine } from './print.js';
import { startProgressBar } from './progress-bar.js';
import { failureResult, predictionLine, resultColumns, type ListedModel } from './score-model.js';

/** Lines per write to the output. */
const linesPerWrite = 500;

/** Failures that are printed. The output has all of them. */
const failuresPrinted = 20;

/** Stands for the MRN of a patient that was deleted after it was scored. */
const deleted = '(deleted)';

/**
 * Writes the results of a job as CSV, while they arrive. Failures are printed too.
 * @param options.total patients of the job
 * @param options.withHeader true for the first job of a file
 */
export async function writeResults(
  bulk: Pick<BulkClient, 'results'>,
  jobId: string,
  { model, out, total, withHeader }: { model: ListedModel; out: OutputFile; total: number; withHeader: boolean },
): Promise<{ readonly scored: number; readonly failed: number }> {
  const bar = startProgressBar('results ', total);
  let scored = 0;
  let failed = 0;
  let lines: (string | number)[][] = withHeader ? [resultColumns(model)] : [];
  const write = async (): Promise<void> => {
    if (lines.length > 0) await out.write(stringify(lines, { escape_formulas: true }));
    lines = [];
  };
  const lineOf = ({ mrn, prediction, failure }: ResultLine): (string | number)[] => {
    const subject = mrn ?? deleted;
    if (prediction) {
      scored += 1;
      return predictionLine(subject, prediction, model);
    }
    failed += 1;
    if (failed <= failuresPrinted) printErrorLine(`${subject}: ${failure!.message}`);
    return failureResult(subject, failure!.message, model);
  };
  try {
    for await (const result of bulk.results(jobId)) {
      lines.push(lineOf(result));
      if (lines.length < linesPerWrite) continue;
      await write();
      bar.update(result.row);
    }
    await write();
    bar.update(total);
  } finally {
    bar.stop();
  }
  if (failed > failuresPrinted) printErrorLine(`and ${failed - failuresPrinted} more failures: see ${out.name}`);
  return { scored, failed: total - scored };
}
