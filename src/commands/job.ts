import { Command } from 'commander';
import { CancelScoringJobDocument } from '../client/generated/graphql.js';
import { accessApi, withApiOptions, type ApiAccess, type ApiOptions } from './api-access.js';
import { followJob } from './follow-job.js';
import { onInterruption } from './interruption.js';
import { printLine } from './print.js';

/** `riskgraph job`: follows or cancels a scoring job of the running API. */
export function jobCommand(): Command {
  return new Command('job')
    .description('follow or cancel a scoring job of the running API')
    .addCommand(
      onJob('follow', 'show the progress of a job until it ends; exits 1 unless it is COMPLETED', async (api, id) => {
        const interruption = onInterruption(`the scoring job ${id} goes on.`);
        await followJob(api.client, id);
        interruption.stop();
        return 'is COMPLETED';
      }),
    )
    .addCommand(
      onJob('cancel', 'cancel a job; predictions that are stored already stay', async ({ client }, id) => {
        const { cancelScoringJob } = await client.request(CancelScoringJobDocument, { id });
        return cancelScoringJob.state === 'CANCELLED'
          ? 'is CANCELLED'
          : 'ends as soon as its workers have put down what they work on';
      }),
    );
}

/** Makes a command about one job. @param work returns what became of the job, for the output */
const onJob = (name: string, description: string, work: (api: ApiAccess, id: string) => Promise<string>): Command =>
  withApiOptions(new Command(name).description(description).argument('<id>', 'the scoring job')).action(
    async (id: string, options: ApiOptions) => {
      const api = await accessApi(options);
      try {
        printLine(`The scoring job ${id} ${await work(api, id)}`);
      } finally {
        await api.client.close();
      }
    },
  );
