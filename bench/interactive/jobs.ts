import { setTimeout as delay } from 'node:timers/promises';
import {
  PredictionCreatedDocument,
  ScoringJobUpdatedDocument,
  SubmitScoringJobDocument,
  type PredictionFieldsFragment,
} from '../../src/client/generated/graphql.js';
import type { GraphqlClient } from '../../src/client/graphql-client.js';
import { repeat } from './side.js';

const submit = async (client: GraphqlClient, patientId: string): Promise<string> => {
  const { submitScoringJob } = await client.request(SubmitScoringJobDocument, {
    input: { patientId, modelId: 'heart-disease' },
  });
  return submitScoringJob.id;
};

/** Scores a patient, and follows the job by a subscription of its own until its prediction arrives. */
export async function score(client: GraphqlClient, patientId: string): Promise<PredictionFieldsFragment> {
  const id = await submit(client, patientId);
  for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id }))
    if (scoringJobUpdated.job.prediction) return scoringJobUpdated.job.prediction;
  throw new Error('the subscription ended without a prediction');
}

/** Follows each job by a subscription of its own. @returns the number of jobs whose prediction has reached the client */
export const followEach = (client: GraphqlClient, ids: readonly string[], seconds: number): Promise<number> =>
  repeat(async (index) => {
    await score(client, ids[index % ids.length]!);
  }, seconds);

/**
 * Follows all jobs by one subscription to `predictionCreated`. The number of predictions in flight stays the same: a
 * prediction that arrives lets the next job start, whichever job it belongs to.
 */
export async function followAll(client: GraphqlClient, ids: readonly string[], seconds: number): Promise<number> {
  // Predictions that arrived while no job waited: a prediction can overtake the answer to its job's submission.
  let early = 0;
  let hasBegun = false;
  const waiting: (() => void)[] = [];
  const events = client.subscribe(PredictionCreatedDocument, {})[Symbol.asyncIterator]();
  let hasEnded = false;
  const following = (async () => {
    for (;;) {
      const event = await events.next();
      if (hasEnded) return;
      if (event.done) throw new Error('the subscription ended');
      hasBegun = true;
      const next = waiting.shift();
      if (next) next();
      else early += 1;
    }
  })();
  while (!hasBegun) {
    await submit(client, ids[0]!);
    await delay(300);
  }
  early = 0;
  const done = await repeat(async (index) => {
    await submit(client, ids[index % ids.length]!);
    if (early > 0) early -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  }, seconds);
  hasEnded = true;
  await events.return?.(undefined as never);
  await following;
  return done;
}
