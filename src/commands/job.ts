import { Command } from 'commander';
import { CancelScoringJobDocument, ScoringJobDocument } from '../client/generated/graphql.js';
import { StartupError } from '../errors.js';
import { accessApi, withApiOptions, type ApiAccess, type ApiOptions } from './api-access.js';
import { followJob } from './follow-job.js';
import { onInterruption } from './interruption.js';
import { openOutputFile, type OutputFile } from './output-file.js';
import { printErrorLine, printLine } from './print.js';
import { chooseModel } from './score-model.js';
import { writeResults } from './score-results.js';

interface FollowOptions extends ApiOptions {
  readonly out?: string;
}

/** `riskgraph job`: follows or cancels a scoring job of the running API. */
export function jobCommand(): Command {
  return new Command('job')
    .description('follow or cancel a scoring job of the running API')
    .addCommand(
      withApiOptions(
        new Command('follow')
          .description('show the progress of a job until it ends; exits 1 unless it is COMPLETED')
          .argument('<id>', 'the scoring job')
          .option('--out <file>', 'write the results of a batch there, as "score" does; "-" is standard output'),
      ).action(follow),
    )
    .addCommand(
      withApiOptions(
        new Command('cancel')
          .description('cancel a job; predictions that are stored already stay')
          .argument('<id>', 'the scoring job'),
      ).action(cancel),
    );
}

async function follow(id: string, { out: path, ...options }: FollowOptions): Promise<void> {
  const out = path === undefined ? undefined : await openOutputFile(path);
  const interruption = onInterruption(`the scoring job ${id} goes on.`);
  interruption.before(() => out?.discard());
  const api = await accessApi(options);
  try {
    await followJob(api.client, id);
    const say = out?.isStandardOutput ? printErrorLine : printLine;
    say(`The scoring job ${id} is COMPLETED`);
    if (out) say(await resultsOf(api, id, out));
  } catch (error) {
    out?.discard();
    throw error;
  } finally {
    interruption.stop();
    await out?.close();
    await api.client.close();
  }
}

/** Writes the results of a batch. @returns what was written, for the output */
async function resultsOf({ client, bulk }: ApiAccess, id: string, out: OutputFile): Promise<string> {
  const { scoringJob } = await client.request(ScoringJobDocument, { id });
  if (!scoringJob) throw new StartupError(`The scoring job ${id} is gone: its time of retention is over.`);
  const { modelId, modelVersion, progress } = scoringJob;
  const model = await chooseModel(client, { model: modelId, modelVersion });
  const { scored, failed } = await writeResults(bulk, id, { model, out, total: progress.total, withHeader: true });
  if (failed > 0) process.exitCode = 1;
  return `${scored} patients scored, ${failed} failed: ${out.name}`;
}

async function cancel(id: string, options: ApiOptions): Promise<void> {
  const { client } = await accessApi(options);
  try {
    const { cancelScoringJob } = await client.request(CancelScoringJobDocument, { id });
    printLine(
      cancelScoringJob.state === 'CANCELLED'
        ? `The scoring job ${id} is CANCELLED`
        : `The scoring job ${id} ends as soon as its workers have put down what they work on`,
    );
  } finally {
    await client.close();
  }
}
