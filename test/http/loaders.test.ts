import { expect, test } from 'vitest';
import { CreatePatientDocument, ScoringJobUpdatedDocument, SubmitBatchScoringJobDocument, SubmitScoringJobDocument } from '../../src/client/generated/graphql.js';
import { modelId, newPatient } from '../support/heart-disease.js';
import { startSystem } from '../support/system.js';

const system = await startSystem();
const client = await system.client('CLINICIAN');
const token = await system.token('CLINICIAN');

/** How often the collection `patients` is read while the request is served. */
async function readsOfPatients(query: string): Promise<{ answer: Record<string, unknown>; reads: number }> {
  let reads = 0;
  const connection = system.app.models.patients.db;
  connection.set('debug', (collection: string, method: string) => void (collection === 'patients' && /^(find|aggregate)/.test(method) && (reads += 1)));
  try {
    const { data } = await system.post(query, {}, token);
    return { answer: data!, reads };
  } finally {
    connection.set('debug', false);
  }
}

test('the patients of a page of predictions are read in one query, whatever its length', async () => {
  const patientIds: string[] = [];
  for (let i = 0; i < 5; i += 1) patientIds.push((await client.request(CreatePatientDocument, { input: newPatient() })).createPatient.id);
  const { submitBatchScoringJob } = await client.request(SubmitBatchScoringJobDocument, { input: { patientIds, modelId } });
  for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id: submitBatchScoringJob.id })) void scoringJobUpdated;

  const { answer: without, reads: own } = await readsOfPatients('{ predictions { edges { node { id } } } }');
  expect(without).toMatchObject({ predictions: { edges: { length: 5 } } });
  for (const first of [1, 5]) {
    const { answer, reads } = await readsOfPatients(`{ predictions(first: ${first}) { edges { node { patient { id mrn } } } } }`);
    expect(answer).toMatchObject({ predictions: { edges: { length: first } } });
    expect(reads - own).toBe(1);
  }
});

test('whose the jobs of a page are, and whether they are open, is read in as many queries, whatever its length', async () => {
  for (let i = 0; i < 3; i += 1) {
    const { createPatient } = await client.request(CreatePatientDocument, { input: newPatient({ careTeam: ['the-clinician'] }) });
    const { submitScoringJob } = await client.request(SubmitScoringJobDocument, { input: { patientId: createPatient.id, modelId } });
    // To its end: the worker reads patients too.
    for await (const { scoringJobUpdated } of client.subscribe(ScoringJobUpdatedDocument, { id: submitScoringJob.id })) void scoringJobUpdated;
  }
  for (const first of [1, 3]) {
    const { answer, reads } = await readsOfPatients(`{ scoringJobs(first: ${first}, filter: { kind: SINGLE }) { totalCount edges { node { id } } } }`);
    expect(answer).toMatchObject({ scoringJobs: { totalCount: 3, edges: { length: first } } });
    expect(reads).toBe(2);
  }
});
