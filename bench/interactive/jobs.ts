import {
  PredictionCreatedDocument,
  ScoringJobUpdatedDocument,
  SubmitScoringJobDocument,
} from '../../src/client/generated/graphql.js';
import type { GraphqlClient } from '../../src/client/graphql-client.js';

/** Follows jobs in one way. @returns the number of jobs whose prediction has reached the client */
type Follow = (
  client: GraphqlClient,
  patientIds: readonly string[],
  load: { readonly inFlight: number; readonly seconds: number },
) => Promise<number>;

/** Runs `one` again and again, `inFlight` at a time, until the time is over. */
async function repeat(
  one: (index: number) => Promise<void>,
  { inFlight, seconds }: { readonly inFlight: number; readonly seconds: number },
): Promise<number> {
  const end = performance.now() + seconds * 1_000;
  let next = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (performance.now() < end) await one(next++);
    }),
  );
  return next;
}

const submit = async (client: GraphqlClient, ids: readonly string[], index: number): Promise<string> => {
  const { submitScoringJob } = await client.request(SubmitScoringJobDocument, {
    input: { patientId: ids[index % ids.length]!, modelId: 'heart-disease' },
  });
  return submitScoringJob.id;
};

/** Follows each job by a subscription of its own, until its prediction arrives. */
export const followEach: Follow = (client, ids, load) =>
  repeat(async (index) => {
    const id = await submit(client, ids, index);
    for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id }))
      if (scoringJobUpdated.job.prediction) return;
    throw new Error('the subscription ended without a prediction');
  }, load);

/**
 * Follows all jobs by one subscription to `predictionCreated`. The number of predictions in flight stays the same: a
 * prediction that arrives lets the next job start, whichever job it belongs to.
 */
export const followAll: Follow = async (client, ids, load) => {
  let arrived = 0;
  const waiting: (() => void)[] = [];
  const ending = new AbortController();
  const following = (async () => {
    const events = client.subscribe(PredictionCreatedDocument, {});
    const end = new Promise<'end'>((resolve) => ending.signal.addEventListener('abort', () => resolve('end')));
    const iterator = events[Symbol.asyncIterator]();
    for (;;) {
      const event = await Promise.race([iterator.next(), end]);
      if (event === 'end') break;
      if (event.done) throw new Error('the subscription ended');
      arrived += 1;
      waiting.shift()?.();
    }
    await iterator.return?.(undefined as never);
  })();
  // The first event shows that the subscription has begun.
  while (arrived === 0) {
    await submit(client, ids, 0);
    await Promise.race([new Promise<void>((resolve) => waiting.push(resolve)), new Promise((r) => setTimeout(r, 200))]);
  }
  const done = await repeat(async (index) => {
    await submit(client, ids, index);
    await new Promise<void>((resolve) => waiting.push(resolve));
  }, load);
  ending.abort();
  await following;
  return done;
};
