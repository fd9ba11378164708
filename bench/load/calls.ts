import {
  PatientDocument,
  PatientsDocument,
  PredictionsDocument,
  ScoringJobUpdatedDocument,
  SubmitBatchScoringJobDocument,
  SubmitScoringJobDocument,
  LoginDocument,
} from '../../src/client/generated/graphql.js';
import type { GraphqlClient } from '../../src/client/graphql-client.js';
import type { CallKind, Measured } from './mix.js';

/** What the calls need. */
export interface Caller {
  readonly url: string;
  readonly token: string;
  readonly client: GraphqlClient;
  readonly anonymous: GraphqlClient;
  readonly patients: readonly { readonly id: string; readonly mrn: string }[];
  readonly users: readonly { readonly username: string; readonly password: string }[];
}

/** Keeps a measurement in milliseconds. */
type Keep = (what: Measured, milliseconds: number) => void;

const model = 'heart-disease';
const upsert = `mutation Values($inputs: [UpsertPatientInput!]!) { upsertPatients(inputs: $inputs) { outcome } }`;

const anyOf = <T>(values: readonly T[]): T => values[Math.floor(Math.random() * values.length)]!;

/** Reads the events of a job until it ends. @throws Error when it does not end as COMPLETED */
async function completed(client: GraphqlClient, id: string): Promise<void> {
  for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id }))
    if (scoringJobUpdated.job.state === 'COMPLETED') return;
    else if (scoringJobUpdated.job.state === 'FAILED') break;
  throw new Error('a scoring job did not complete');
}

/** Scores patients in one batch, and waits for its end. */
export async function scoreBatch(client: GraphqlClient, ids: readonly string[]): Promise<void> {
  const { submitBatchScoringJob } = await client.request(SubmitBatchScoringJobDocument, {
    input: { patientIds: [...ids], modelId: model },
  });
  await completed(client, submitBatchScoringJob.id);
}

/** The calls of the mix. Each gets the time at which it was due, so that a late start counts too. */
export function createCalls(
  { url, token, client, anonymous, patients, users }: Caller,
  keep: Keep,
): Record<CallKind, (due: number) => Promise<void>> {
  const since = (due: number): number => performance.now() - due;
  return {
    async chart(due) {
      const { id } = anyOf(patients);
      const [{ patient }] = await Promise.all([
        client.request(PatientDocument, { id }),
        client.request(PredictionsDocument, { first: 5, filter: { patientId: id } }),
      ]);
      if (!patient) throw new Error('a patient is missing');
      keep('chart', since(due));
    },
    async worklist(due) {
      await client.request(PatientsDocument, { first: 25, orderBy: { field: 'LATEST_PROBABILITY' } });
      keep('worklist', since(due));
    },
    async values(due) {
      const { mrn } = anyOf(patients);
      const value = 150 + Math.floor(Math.random() * 150);
      const answer = await fetch(new URL('/graphql', url), {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({
          query: upsert,
          variables: { inputs: [{ mrn, features: [{ code: 'cholesterol', value }] }] },
        }),
      });
      const text = await answer.text();
      if (!answer.ok || text.includes('"errors"') || text.includes('REFUSED')) throw new Error(text.slice(0, 300));
      keep('values', since(due));
    },
    async score(due) {
      const { submitScoringJob } = await client.request(SubmitScoringJobDocument, {
        input: { patientId: anyOf(patients).id, modelId: model },
      });
      keep('accepted', since(due));
      await completed(client, submitScoringJob.id);
      keep('score', since(due));
    },
    async login(due) {
      await anonymous.request(LoginDocument, { input: { organization: 'bench', ...anyOf(users) } });
      keep('login', since(due));
    },
  };
}
