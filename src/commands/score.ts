import { stringify } from 'csv-stringify/sync';
import { Command } from 'commander';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { Role } from '../../models/index.js';
import { apiClient } from './api-client.js';
import type { GraphqlClient } from '../client/graphql-client.js';
import {
  JobPredictionsDocument,
  RiskModelsDocument,
  ScoringJobUpdatedDocument,
  SubmitBatchScoringJobDocument,
  type PredictionFieldsFragment,
  type RiskModelsQuery,
} from '../client/generated/graphql.js';
import type { Config } from '../config/config.js';
import { readRuntime } from '../embedded/data-directory.js';
import { StartupError } from '../errors.js';
import type { ModelFeature } from '../risk/manifest.js';
import { readCohort } from './cohort-csv.js';
import { commandConfig } from './environment.js';
import { givenToken, tokenHelp, tokenOption } from './given-token.js';
import { issueLocalToken, connectLocalDatabase } from './local-access.js';
import { printErrorLine, printLine } from './print.js';
import { startProgressBar } from './progress-bar.js';
import { storeCohort } from './store-cohort.js';
import { escapeInvisible } from '../process/visible-text.js';

interface ScoreOptions {
  readonly model: string;
  readonly modelVersion?: string;
  readonly out?: string;
  readonly url?: string;
  readonly token?: string;
  readonly org: string;
}

/** Largest number of patients per scoring job. */
const patientsPerJob = 50_000;

interface Results {
  readonly predictions: (PredictionFieldsFragment & { readonly patient: { readonly id: string } })[];
  readonly failures: { readonly patientId: string; readonly message: string }[];
}

type ListedModel = RiskModelsQuery['riskModels'][number];

/**
 * `riskgraph score FILE.csv`: scores a whole cohort through the running API.
 *
 * 1. Find the API, and take the given token or sign a local one.
 * 2. Choose the model, and read and check the whole file (cohort-csv.ts). With an issue, nothing is sent.
 * 3. Create or update the patients (store-cohort.ts).
 * 4. Submit one batch job after the other, follow each to its end, and read its predictions and failures.
 * 5. Write the predictions in the order of the file. Print the failures.
 */
export function scoreCommand(): Command {
  return new Command('score')
    .description('score a cohort through the running API; writes predictions and contributions as CSV')
    .argument('<file.csv>', 'header: mrn and feature codes; an empty cell is a missing value')
    .option('--model <id>', 'risk model', 'heart-disease')
    .option('--model-version <version>', 'version of the model (default: the default version)')
    .option('--out <file>', 'where to write (default: FILE-predictions.csv in the working directory)')
    .option('--url <url>', 'the API (default: that of the running "riskgraph up", else HOST and PORT)')
    .option(tokenOption, `access token of a CLINICIAN; a local one is signed if none is given; ${tokenHelp}`)
    .option('--org <slug>', 'organization of the local token', 'demo')
    .action(async (file: string, options: ScoreOptions) => {
      const config = commandConfig();
      const client = apiClient(
        options.url ?? (await localUrl(config)),
        (await givenToken(options.token)) ?? (await localToken(config, options.org)),
      );
      try {
        const out = options.out ?? `${basename(file, '.csv')}-predictions.csv`;
        const { scored, failed } = await scoreCohort(client, file, options, out);
        printLine(`${scored} patients scored, ${failed} failed: ${out}`);
        if (failed > 0) process.exitCode = 1;
      } finally {
        await client.close();
      }
    });
}

async function localUrl(config: Config): Promise<string> {
  const port = (await readRuntime(config.dataDirectory))?.port ?? config.port;
  return `http://${config.host}:${port}`;
}

async function localToken(config: Config, organization: string): Promise<string> {
  const database = await connectLocalDatabase(config);
  try {
    return await issueLocalToken(config, database.models, {
      role: Role.CLINICIAN,
      organization,
      timeToLiveSeconds: 24 * 3600,
    });
  } finally {
    await database.close();
  }
}

async function scoreCohort(
  client: GraphqlClient,
  file: string,
  options: ScoreOptions,
  out: string,
): Promise<{ scored: number; failed: number }> {
  const model = await chooseModel(client, options);
  const rows = await readCohort(file, model.features.map(toManifestFeature));
  const mrnById = await storeCohort(client, rows);
  const { predictions, failures } = await scoreInBatches(client, [...mrnById.keys()], model);
  for (const { patientId, message } of failures) printErrorLine(`${mrnById.get(patientId)}: ${message}`);
  const order = new Map(rows.map(({ mrn }, index) => [mrn, index]));
  const lines = predictions
    .map((prediction) => ({ mrn: mrnById.get(prediction.patient.id)!, prediction }))
    .sort((a, b) => order.get(a.mrn)! - order.get(b.mrn)!)
    .map(({ mrn, prediction }) => toLine(mrn, prediction, model));
  const header = [
    'mrn',
    ...(model.quantity ? ['value', 'unit'] : ['probability']),
    ...model.classes.map((name) => `probability_${name}`),
    'risk_band',
    'raw_output',
    'base_value',
    ...model.features.map(({ code }) => `contribution_${code}`),
  ];
  await writePrivateFile(out, stringify([header, ...lines], { escape_formulas: true }));
  return { scored: lines.length, failed: rows.length - lines.length };
}

/** Writes a file that only its owner may read, also when another file was there before. */
async function writePrivateFile(file: string, text: string): Promise<void> {
  const opened = await open(file, 'w', 0o600);
  try {
    // The mode above counts for new files only. A device or a pipe keeps its own.
    if ((await opened.stat()).isFile()) await opened.chmod(0o600);
    await opened.writeFile(text);
  } finally {
    await opened.close();
  }
}

/** Scores the patients in jobs of at most `patientsPerJob`, one job after the other. */
async function scoreInBatches(client: GraphqlClient, ids: readonly string[], model: ListedModel): Promise<Results> {
  const results: Results = { predictions: [], failures: [] };
  for (let start = 0; start < ids.length; start += patientsPerJob) {
    const patientIds = ids.slice(start, start + patientsPerJob);
    const { submitBatchScoringJob: job } = await client.request(SubmitBatchScoringJobDocument, {
      input: { patientIds, modelId: model.modelId, modelVersion: model.version },
    });
    await follow(client, job.id, patientIds.length);
    await readResults(client, job.id, results);
  }
  return results;
}

async function chooseModel(client: GraphqlClient, { model, modelVersion }: ScoreOptions): Promise<ListedModel> {
  const { riskModels } = await client.request(RiskModelsDocument);
  const chosen = riskModels.find(
    ({ modelId, version, isDefault }) => modelId === model && (modelVersion ? version === modelVersion : isDefault),
  );
  if (chosen) return chosen;
  const served = riskModels.map(({ id }) => id).join(', ');
  throw new StartupError(
    `The API serves no risk model ${model}${modelVersion ? `@${modelVersion}` : ''}: choose one of ${served}.`,
  );
}

/** Converts the API's description of a feature to the form that the engine's own checks read. */
function toManifestFeature(feature: ListedModel['features'][number]): ModelFeature {
  const { missing } = feature;
  return {
    code: feature.code,
    label: feature.label,
    unit: feature.unit,
    unitLabel: feature.unitLabel,
    kind: feature.kind,
    range: feature.range ?? undefined,
    codes: feature.codes ?? undefined,
    missing:
      missing.policy === 'REQUIRED'
        ? { policy: 'REQUIRED' }
        : missing.policy === 'IMPUTE'
          ? { policy: 'IMPUTE', value: missing.value!, meaning: missing.meaning! }
          : { policy: 'NATIVE', meaning: missing.meaning! },
  };
}

async function follow(client: GraphqlClient, id: string, total: number): Promise<void> {
  const bar = startProgressBar('scoring ', total);
  try {
    for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id })) {
      const { state, progress, error, finishedAt } = scoringJobUpdated.job;
      bar.update(progress.processed, state);
      if (finishedAt && state !== 'COMPLETED')
        throw new StartupError(
          `The scoring job ${id} ended ${state}${error ? `: ${escapeInvisible(error.message)}` : ''}`,
        );
    }
  } finally {
    bar.stop();
  }
}

async function readResults(client: GraphqlClient, id: string, into: Results): Promise<void> {
  for (let after: string | null | undefined; ;) {
    const { scoringJob } = await client.request(JobPredictionsDocument, { id, first: 500, after });
    const { edges, pageInfo } = scoringJob!.predictions;
    into.predictions.push(...edges.map(({ node }) => node));
    if (!after) into.failures.push(...scoringJob!.failures);
    if (!pageInfo.hasNextPage) return;
    after = pageInfo.endCursor;
  }
}

function toLine(
  mrn: string,
  { value, unit, classes, riskBand, rawOutput, explanation }: PredictionFieldsFragment,
  model: ListedModel,
): (string | number)[] {
  if (!explanation)
    throw new StartupError(
      `The prediction of a patient has no explanation: its model ${model.id} is gone; score again.`,
    );
  const byCode = new Map(explanation.contributions.map(({ feature, value }) => [feature.code, value]));
  return [
    mrn,
    ...(model.quantity ? [value, unit] : [value]),
    ...classes.map(({ probability }) => probability),
    riskBand,
    rawOutput,
    explanation.baseValue,
    ...model.features.map(({ code }) => byCode.get(code)!),
  ];
}
