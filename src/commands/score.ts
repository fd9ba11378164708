import { Command } from 'commander';
import { basename, extname } from 'node:path';
import { StartupError } from '../errors.js';
import { accessApi, withApiOptions, type ApiOptions } from './api-access.js';
import { checkCohort, cohortRows } from './cohort-check.js';
import { openCohortFile, type CohortFile } from './cohort-file.js';
import { commonEncodings, requireEncoding } from './decode-text.js';
import { followJob } from './follow-job.js';
import { onInterruption, type Interruption } from './interruption.js';
import { openOutputFile, type OutputFile } from './output-file.js';
import { printErrorLine, printLine } from './print.js';
import { startProgressBar } from './progress-bar.js';
import { chooseModel, featuresOf } from './score-model.js';
import { writeResults } from './score-results.js';

interface ScoreOptions extends ApiOptions {
  readonly model: string;
  readonly modelVersion?: string;
  readonly out?: string;
  readonly encoding: string;
  readonly clearEmpty?: boolean;
}

/** Most patients per cohort, and so per job. It is what a server takes without a setting. */
const patientsPerJob = 100_000;

/**
 * `riskgraph score FILE.csv`: scores a whole cohort through the running API.
 *
 * 1. Open the file and the output.
 * 2. Find the API, and take the given token or sign a local one.
 * 3. Choose the model, and check the whole file (cohort-check.ts). With an issue, nothing is sent.
 * 4. Send the patients, which also submits their job, and follow the job to its end.
 * 5. Write the results in the order of the file, while they arrive (score-results.ts).
 */
export function scoreCommand(): Command {
  return withApiOptions(
    new Command('score')
      .description('score a cohort through the running API; writes predictions and contributions as CSV')
      .argument('<file.csv>', 'header: mrn and feature codes, with , ; or tab between columns; "-" is standard input')
      .option('--model <id>', 'risk model', 'heart-disease')
      .option('--model-version <version>', 'version of the model (default: the default version)')
      .option('--out <file>', 'where to write, "-" is standard output (default: FILE-predictions.csv in this folder)')
      .option('--encoding <name>', `encoding of the file, e.g. ${commonEncodings.slice(0, 6).join(', ')}`, 'utf-8')
      .option('--clear-empty', 'an empty cell removes the stored value (default: the stored value stays)'),
  ).action(async (path: string, options: ScoreOptions) => {
    const encoding = requireEncoding(options.encoding);
    if (path === '-' && options.token === '-')
      throw new StartupError('Standard input is both the cohort and the token: set RISKGRAPH_TOKEN instead.');
    const file = await openCohortFile(path);
    try {
      const out = await openOutputFile(options.out ?? defaultOutput(path), path);
      const interruption = onInterruption('nothing was scored.');
      interruption.before(() => out.discard());
      try {
        await score(file, out, { ...options, encoding }, interruption);
      } catch (error) {
        out.discard();
        throw error;
      } finally {
        interruption.stop();
        await out.close();
      }
    } finally {
      await file.close();
    }
  });
}

const defaultOutput = (path: string): string =>
  path === '-' ? '-' : `${basename(path, extname(path))}-predictions.csv`;

async function score(
  file: CohortFile,
  out: OutputFile,
  options: ScoreOptions,
  interruption: Interruption,
): Promise<void> {
  const { client, bulk } = await accessApi(options);
  try {
    const model = await chooseModel(client, options);
    const reading = { features: featuresOf(model), requireInputs: true, clearEmpty: options.clearEmpty };
    const patients = await checkCohort(file, options.encoding, reading);
    const rows = cohortRows(file, options.encoding, reading);
    let [scored, failed] = [0, 0];
    for (let sent = 0; sent < patients; sent += patientsPerJob) {
      const total = Math.min(patientsPerJob, patients - sent);
      interruption.say('some patients may be stored, and no scoring job was submitted for them.');
      const bar = startProgressBar('patients', total);
      const { jobId } = await bulk
        .submitCohort(take(rows, total), { modelId: model.modelId, modelVersion: model.version }, (stored) =>
          bar.update(stored),
        )
        .finally(() => bar.stop());
      interruption.say(goesOn(jobId, out.isStandardOutput ? '-' : out.name, options));
      await followJob(client, jobId, total);
      const results = await writeResults(bulk, jobId, { model, out, total, withHeader: sent === 0 });
      scored += results.scored;
      failed += results.failed;
    }
    const summary = `${scored} patients scored, ${failed} failed: ${out.name}`;
    if (out.isStandardOutput) printErrorLine(summary);
    else printLine(summary);
    if (failed > 0) process.exitCode = 1;
  } finally {
    await client.close();
  }
}

/** Gives the next values of an iterator, at most `count`, and leaves the rest to later calls. */
async function* take<T>(values: AsyncGenerator<T>, count: number): AsyncGenerator<T> {
  for (let taken = 0; taken < count; taken += 1) {
    const { done, value } = await values.next();
    if (done) return;
    yield value;
  }
}

/** Says how the operator can go on with a job that was submitted. */
function goesOn(id: string, out: string, { url, org }: ApiOptions): string {
  const more = `${url === undefined ? '' : ` --url ${url}`}${org === undefined ? '' : ` --org ${org}`}`;
  return (
    `the scoring job ${id} goes on. To follow it: riskgraph job follow ${id} --out ${out}${more}. ` +
    `To cancel it: riskgraph job cancel ${id}${more}`
  );
}
