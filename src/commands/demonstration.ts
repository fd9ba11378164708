import Table from 'cli-table3';
import { Role } from '../../models/index.js';
import { apiClient } from './api-client.js';
import type { GraphqlClient } from '../client/graphql-client.js';
import {
  PatientsDocument,
  ScoringJobUpdatedDocument,
  SubmitScoringJobDocument,
  type PredictionFieldsFragment,
} from '../client/generated/graphql.js';
import type { Config } from '../config/config.js';
import { StartupError } from '../errors.js';
import { issueLocalToken, connectLocalDatabase } from './local-access.js';
import { demoOrganization as organization } from './organization-options.js';
import { startProgressBar } from './progress-bar.js';
import { seedPatients } from './seed.js';

const modelId = 'heart-disease';
const tokenSeconds = 8 * 3600;

/**
 * Runs one scoring job as any client does: submits it over HTTP, follows it over the WebSocket, and shows the result.
 */
export async function runDemonstration(config: Config, url: string): Promise<void> {
  const write = (text: string): void => void process.stdout.write(`${text}\n`);
  const token = await prepare(config, write);
  const client = apiClient(url, token);
  try {
    const { patients } = await client.request(PatientsDocument, {
      first: 1,
      orderBy: { field: 'CREATED_AT', direction: 'ASC' },
    });
    const patient = patients.edges[0]!.node;
    const { submitScoringJob: job } = await client.request(SubmitScoringJobDocument, {
      input: { patientId: patient.id, modelId },
    });
    write(`Submitted scoring job ${job.id} for patient ${patient.mrn} (synthetic), following it over the WebSocket:`);
    showPrediction(await follow(client, job.id), write);
  } finally {
    await client.close();
  }
  write(`\nConsole:         ${url}/`);
  write(`Apollo Sandbox:  ${url}/graphql`);
  write(`Access token (CLINICIAN of ${organization}, 8 hours), for the Sandbox header "authorization":`);
  write(`Bearer ${token}`);
  write(
    `\nTo sign in as yourself, create a user in another terminal: npx riskgraph user create --org ${organization} ` +
      '--username NAME --role CLINICIAN',
  );
}

async function prepare(config: Config, write: (text: string) => void): Promise<string> {
  // `up` has said which database it is.
  const database = await connectLocalDatabase(config, { say: () => undefined });
  try {
    const written = await seedPatients(config, database.models, { count: 20, seed: 1, organization });
    write(written > 0 ? `Seeded ${written} synthetic patients` : 'The synthetic patients already exist');
    return await issueLocalToken(config, database.models, {
      role: Role.CLINICIAN,
      organization: {},
      timeToLiveSeconds: tokenSeconds,
    });
  } finally {
    await database.close();
  }
}

async function follow(client: GraphqlClient, id: string): Promise<PredictionFieldsFragment> {
  const bar = startProgressBar('scoring', 1);
  try {
    for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id })) {
      const { job, sequence } = scoringJobUpdated;
      bar.update(job.progress.processed, `${job.state} ${job.progress.stage} (change ${sequence})`);
      if (job.prediction) return job.prediction;
      if (job.error && job.finishedAt)
        throw new StartupError(`The scoring job ended ${job.state}: ${job.error.message}`);
    }
  } finally {
    bar.stop();
  }
  throw new StartupError('The subscription ended without a result: see the worker log above.');
}

function showPrediction(
  { value, riskBand, rawOutput, explanation }: PredictionFieldsFragment,
  write: (text: string) => void,
): void {
  const number = (value: number): string => value.toFixed(4);
  const signed = (value: number): string => `${value < 0 ? '' : '+'}${number(value)}`;
  write(
    `\nRisk ${(100 * value).toFixed(1)} %, band ${riskBand} (raw output ${number(rawOutput)} before ` +
      `calibration)\n`,
  );
  const table = new Table({
    head: ['feature', 'value', 'contribution'],
    colAligns: ['left', 'left', 'right'],
    style: { head: [], border: [], compact: true },
  });
  if (!explanation) throw new Error('the prediction has no explanation');
  table.push(['(base value)', '', number(explanation.baseValue)]);
  for (const { feature, displayValue, value } of explanation.contributions)
    table.push([feature.label, displayValue, signed(value)]);
  table.push(['= raw output', '', number(explanation.outputValue)]);
  write(table.toString());
  write(
    `Additivity error ${explanation.additivityError.toExponential(1)}, ${explanation.method} SHAP in ` +
      `${explanation.outputSpace} space`,
  );
}
