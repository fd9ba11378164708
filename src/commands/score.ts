import { stringify } from 'csv-stringify/sync';
import { Command } from 'commander';
import { basename, extname } from 'node:path';
import {
  JobPredictionsDocument,
  SubmitBatchScoringJobDocument,
  type PredictionFieldsFragment,
} from '../client/generated/graphql.js';
import type { GraphqlClient } from '../client/graphql-client.js';
import { StartupError } from '../errors.js';
import type { CohortRow } from '../patients/cohort-csv.js';
import { accessApi, withApiOptions, type ApiOptions } from './api-access.js';
import { checkCohort, cohortRows } from './cohort-check.js';
import { openCohortFile, type CohortFile } from './cohort-file.js';
import { commonEncodings, requireEncoding } from './decode-text.js';
import { followJob } from './follow-job.js';
import { onInterruption, type Interruption } from './interruption.js';
import { openOutputFile, type OutputFile } from './output-file.js';
import { printErrorLine, printLine } from './print.js';
import {
  chooseModel,
  failureResult,
  featuresOf,
  predictionLine,
  resultColumns,
  type ListedModel,
} from './score-model.js';
import { storeCohort } from './store-cohort.js';

interface ScoreOptions extends ApiOptions {
  readonly model: string;
  readonly modelVersion?: string;
  readonly out?: string;
  readonly encoding: string;
  readonly clearEmpty?: boolean;
}

/** Largest number of patients per scoring job. */
const patientsPerJob = 50_000;

interface Results {
  readonly predictions: (PredictionFieldsFragment & { readonly patient: { readonly id: string } })[];
  readonly failures: { readonly patientId: string; readonly message: string }[];
}

/**
 * `riskgraph score FILE.csv`: scores a whole cohort through the running API.
 *
 * 1. Open the file and the output.
 * 2. Find the API, and take the given token or sign a local one.
 * 3. Choose the model, and check the whole file (cohort-check.ts). With an issue, nothing is sent.
 * 4. Create or update the patients (store-cohort.ts).
 * 5. Submit one batch job after the other, follow each to its end, and read its predictions and failures.
 * 6. Write the results in the order of the file.
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
  const { client } = await accessApi(options);
  try {
    const model = await chooseModel(client, options);
    const reading = { features: featuresOf(model), requireInputs: true, clearEmpty: options.clearEmpty };
    await checkCohort(file, options.encoding, reading);
    const rows: CohortRow[] = [];
    for await (const row of cohortRows(file, options.encoding, reading)) rows.push(row);
    interruption.say('some patients may be stored, and no scoring job was submitted.');
    const mrnById = await storeCohort(client, rows);
    const { scored, failed } = await scoreInBatches(client, mrnById, model, { out, options, interruption });
    const summary = `${scored} patients scored, ${failed} failed: ${out.name}`;
    if (out.isStandardOutput) printErrorLine(summary);
    else printLine(summary);
    if (failed > 0) process.exitCode = 1;
  } finally {
    await client.close();
  }
}

/** Scores the patients in jobs of at most `patientsPerJob`, one job after the other, and writes their results. */
async function scoreInBatches(
  client: GraphqlClient,
  mrnById: ReadonlyMap<string, string>,
  model: ListedModel,
  { out, options, interruption }: { out: OutputFile; options: ScoreOptions; interruption: Interruption },
): Promise<{ scored: number; failed: number }> {
  const ids = [...mrnById.keys()];
  let scored = 0;
  let failed = 0;
  for (let start = 0; start < ids.length; start += patientsPerJob) {
    const patientIds = ids.slice(start, start + patientsPerJob);
    const { submitBatchScoringJob: job } = await client.request(SubmitBatchScoringJobDocument, {
      input: { patientIds, modelId: model.modelId, modelVersion: model.version },
    });
    interruption.say(goesOn(job.id, options));
    await followJob(client, job.id, patientIds.length);
    const { predictions, failures } = await readResults(client, job.id);
    const predictionOf = new Map(predictions.map((prediction) => [prediction.patient.id, prediction]));
    const failureOf = new Map(failures.map(({ patientId, message }) => [patientId, message]));
    const lines = patientIds.map((id) => {
      const prediction = predictionOf.get(id);
      const mrn = mrnById.get(id)!;
      if (prediction) return predictionLine(mrn, prediction, model);
      const message = failureOf.get(id) ?? 'was deleted meanwhile';
      printErrorLine(`${mrn}: ${message}`);
      return failureResult(mrn, message, model);
    });
    scored += predictions.length;
    failed += patientIds.length - predictions.length;
    await out.write(stringify(start === 0 ? [resultColumns(model), ...lines] : lines, { escape_formulas: true }));
  }
  return { scored, failed };
}

/** Says how the operator can go on with a job that was submitted. */
function goesOn(id: string, { url, org }: ApiOptions): string {
  const more = `${url === undefined ? '' : ` --url ${url}`}${org === undefined ? '' : ` --org ${org}`}`;
  return (
    `the scoring job ${id} goes on. To follow it: riskgraph job follow ${id}${more}. ` +
    `To cancel it: riskgraph job cancel ${id}${more}`
  );
}

async function readResults(client: GraphqlClient, id: string): Promise<Results> {
  const into: Results = { predictions: [], failures: [] };
  for (let after: string | null | undefined; ;) {
    const { scoringJob } = await client.request(JobPredictionsDocument, { id, first: 500, after });
    const { edges, pageInfo } = scoringJob!.predictions;
    into.predictions.push(...edges.map(({ node }) => node));
    if (!after) into.failures.push(...scoringJob!.failures);
    if (!pageInfo.hasNextPage) return into;
    after = pageInfo.endCursor;
  }
}
