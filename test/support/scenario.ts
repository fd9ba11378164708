import {
  CreatePatientDocument,
  ScoringJobUpdatedDocument,
  SubmitBatchScoringJobDocument,
  SubmitScoringJobDocument,
  type CreatePatientMutation,
  type JobFieldsFragment,
  type ScoringJobUpdatedSubscription,
  type SubmitBatchScoringJobInput,
  type SubmitScoringJobInput,
} from '../../src/client/generated/graphql.js';
import type { GraphqlClient } from '../../src/client/graphql-client.js';
import { modelId, newPatient } from './heart-disease.js';

/** One event of a subscription to a job. */
export type JobEvent = ScoringJobUpdatedSubscription['scoringJobUpdated'];
/** A job with its prediction, as its subscribers get it. */
type FollowedJob = JobEvent['job'];

/** The ids of a patient that was scored once, and its MRN. */
export interface Scored {
  readonly patientId: string;
  readonly mrn: string;
  readonly jobId: string;
  readonly predictionId: string;
}

/** Input of `submit`. The shipped model is used when the input names none. */
type Submission =
  | (Omit<SubmitScoringJobInput, 'modelId'> & { readonly modelId?: string })
  | (Omit<SubmitBatchScoringJobInput, 'modelId'> & { readonly modelId?: string; readonly patientId?: undefined });

/** Creates a patient that the shipped model can score, with an MRN that no other test uses. */
export async function patient(
  client: GraphqlClient,
  overrides?: object,
): Promise<CreatePatientMutation['createPatient']> {
  return (await client.request(CreatePatientDocument, { input: newPatient(overrides) })).createPatient;
}

/** Submits a job: a single one if the input has a `patientId`, else a batch. */
export async function submit(client: GraphqlClient, input: Submission): Promise<JobFieldsFragment> {
  return 'patientId' in input && input.patientId !== undefined
    ? (await client.request(SubmitScoringJobDocument, { input: { modelId, ...input } })).submitScoringJob
    : (await client.request(SubmitBatchScoringJobDocument, { input: { modelId, ...input } })).submitBatchScoringJob;
}

/**
 * Gives every event of a job, up to the end of the subscription.
 * @param after the sequence number of the last change that the caller has seen
 */
export async function followed(client: GraphqlClient, jobId: string, after?: number): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id: jobId, after }))
    events.push(scoringJobUpdated);
  return events;
}

/** Waits for the end of a job through its subscription. @returns the job at its end */
export async function ended(client: GraphqlClient, jobId: string): Promise<FollowedJob> {
  const last = (await followed(client, jobId)).at(-1);
  if (!last) throw new Error(`the subscription to job ${jobId} ended without an event`);
  return last.job;
}

/**
 * Creates a patient and scores it once.
 * @throws Error when the job ends without a prediction
 */
export async function scored(client: GraphqlClient, overrides?: object, model: string = modelId): Promise<Scored> {
  const { id: patientId, mrn } = await patient(client, overrides);
  const { id: jobId } = await submit(client, { patientId, modelId: model });
  const { state, prediction } = await ended(client, jobId);
  if (!prediction) throw new Error(`job ${jobId} is ${state} and has no prediction`);
  return { patientId, mrn: mrn!, jobId, predictionId: prediction.id };
}

/** Position of a page among all pages of a connection. */
interface Page {
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor?: string | null };
}

/**
 * Gives all pages of a connection in their order. Each is read after the caller has handled the one before it.
 * @param read gives the page after a cursor; the first has none
 */
export async function* pages<T extends Page>(read: (after: string | null) => Promise<T>): AsyncGenerator<T, void> {
  for (let after: string | null = null; ;) {
    const page: T = await read(after);
    yield page;
    if (!page.pageInfo.hasNextPage) return;
    after = page.pageInfo.endCursor ?? null;
  }
}
