import { ScoringJobUpdatedDocument } from '../client/generated/graphql.js';
import type { GraphqlClient } from '../client/graphql-client.js';
import { StartupError } from '../errors.js';
import { escapeInvisible } from '../process/visible-text.js';
import { startProgressBar } from './progress-bar.js';

/**
 * Shows the progress of a job until it ends.
 * @param total the patients of the job, when they are known already
 * @throws StartupError when it ends FAILED or CANCELLED
 */
export async function followJob(client: GraphqlClient, id: string, total = 0): Promise<void> {
  const bar = startProgressBar('scoring ', total);
  try {
    for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id })) {
      const { state, progress, error, finishedAt } = scoringJobUpdated.job;
      bar.update(progress.processed, state, progress.total);
      if (finishedAt && state !== 'COMPLETED')
        throw new StartupError(
          `The scoring job ${id} ended ${state}${error ? `: ${escapeInvisible(error.message)}` : ''}`,
        );
    }
  } finally {
    bar.stop();
  }
}
