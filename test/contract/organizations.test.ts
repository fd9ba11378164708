import { beforeAll, describe, expect, test } from 'vitest';
import { PredictionCreatedDocument, SubmitScoringJobDocument } from '../../src/client/generated/graphql.js';
import { goldenFeatures, modelId, newPatient } from '../support/heart-disease.js';
import { connectSocket } from '../support/raw-socket.js';
import { patient, scored, submit, type Scored } from '../support/scenario.js';
import { codesOf, startSystem } from '../support/system.js';

const system = await startSystem();
const alpha = await system.client('CLINICIAN', 'alpha');
const beta = await system.client('CLINICIAN', 'beta');
const betaToken = await system.token('CLINICIAN', 'beta');

let theirs: Scored;
let before: Record<string, number>;
beforeAll(async () => {
  theirs = await scored(alpha);
  await system.token('CLINICIAN', 'beta');
  before = await system.counts();
});

describe('what belongs to another organization', () => {
  test('is null to every query, and in no list', async () => {
    const { patientId, mrn, jobId, predictionId } = theirs;
    const { data, errors } = await system.post(
      `{
        byId: patient(id: "${patientId}") { id }
        byMrn: patient(mrn: "${mrn}") { id }
        prediction(id: "${predictionId}") { id }
        scoringJob(id: "${jobId}") { id }
        patients { totalCount edges { cursor } } byFilter: patients(filter: { mrn: "${mrn}" }) { totalCount }
        predictions { totalCount }
        ofPatient: predictions(filter: { patientId: "${patientId}" }) { totalCount }
        ofJob: predictions(filter: { jobId: "${jobId}" }) { totalCount edges { cursor } }
        scoringJobs { totalCount }
        jobsOfPatient: scoringJobs(filter: { patientId: "${patientId}" }) { totalCount edges { cursor } }
      }`,
      undefined,
      betaToken,
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      byId: null,
      byMrn: null,
      prediction: null,
      scoringJob: null,
      patients: { totalCount: 0, edges: [] },
      byFilter: { totalCount: 0 },
      predictions: { totalCount: 0 },
      ofPatient: { totalCount: 0 },
      ofJob: { totalCount: 0, edges: [] },
      scoringJobs: { totalCount: 0 },
      jobsOfPatient: { totalCount: 0, edges: [] },
    });
  });

  test.each<[string, (of: Scored) => string]>([
    [
      'updatePatient',
      ({ patientId }) =>
        `mutation { updatePatient(input: { id: "${patientId}", expectedVersion: 1, givenName: "X" }) { id } }`,
    ],
    ['deletePatient', ({ patientId }) => `mutation { deletePatient(id: "${patientId}") { id } }`],
    [
      'submitScoringJob',
      ({ patientId }) =>
        `mutation { submitScoringJob(input: { patientId: "${patientId}", modelId: "${modelId}" }) { id } }`,
    ],
    ['cancelScoringJob', ({ jobId }) => `mutation { cancelScoringJob(id: "${jobId}") { id } }`],
    ['retryScoringJob', ({ jobId }) => `mutation { retryScoringJob(id: "${jobId}") { id } }`],
    [
      'simulateRisk',
      ({ patientId }) =>
        `{ simulateRisk(input: { modelId: "${modelId}", patientId: "${patientId}" }) { probability } }`,
    ],
  ])('is NOT_FOUND to %s, exactly like an unknown id', async (_name, operation) => {
    const unknown = {
      patientId: 'aaaaaaaaaaaaaaaaaaaaaaaa',
      mrn: '',
      jobId: 'aaaaaaaaaaaaaaaaaaaaaaaa',
      predictionId: '',
    };
    const refused = await system.post(operation(theirs), undefined, betaToken);
    expect(codesOf(refused)).toEqual(['NOT_FOUND']);
    expect(refused.errors).toMatchObject(
      (await system.post(operation(unknown), undefined, betaToken)).errors!.map(({ message, extensions }) => ({
        message,
        extensions: { ...extensions, requestId: expect.any(String) },
      })),
    );
    expect(await system.counts()).toEqual(before);
    expect(
      (
        await system.post(
          `{ patient(id: "${theirs.patientId}") { version givenName } }`,
          undefined,
          await system.token('CLINICIAN', 'alpha'),
        )
      ).data,
    ).toEqual({ patient: { version: 1, givenName: null } });
  });

  test('is NOT_FOUND to subscriptions', async () => {
    for (const query of [
      `subscription { scoringJobUpdated(id: "${theirs.jobId}") { sequence } }`,
      `subscription { predictionCreated(patientId: "${theirs.patientId}") { id } }`,
    ]) {
      const socket = await connectSocket(system.url, betaToken);
      socket.send({ type: 'subscribe', id: '1', payload: { query } });
      expect(await socket.next()).toMatchObject({ type: 'error', payload: [{ extensions: { code: 'NOT_FOUND' } }] });
    }
  });

  test('is no patient of a batch, named or not', async () => {
    const named = await system.post(
      /* GraphQL */ `
        mutation {
          submitBatchScoringJob(input: {modelId: "${modelId}", patientIds: ["${theirs.patientId}"]}) {
            id
          }
        }
      `,
      undefined,
      betaToken,
    );
    expect(named.errors![0]!.extensions).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ path: 'patientIds[0]' }] });
    const all = await system.post(
      `mutation { submitBatchScoringJob(input: { modelId: "${modelId}", all: true }) { id } }`,
      undefined,
      betaToken,
    );
    expect(codesOf(all)).toEqual(['BAD_USER_INPUT']);
    expect(await system.counts()).toEqual(before);
    const created = await patient(beta, { features: goldenFeatures(1) });
    const batch = await submit(beta, { all: true });
    expect(batch.progress.total).toBe(1);
    await system.post(`mutation { deletePatient(id: "${created.id}") { id } }`, undefined, betaToken);
  });
});

describe('predictionCreated', () => {
  test('sends only predictions of the own organization, of all patients or of one', async () => {
    const own = await system.post<{ createPatient: { id: string } }>(
      'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { id } }',
      { input: newPatient() },
      betaToken,
    );
    const patientId = own.data!.createPatient.id;
    const all = beta.subscribe(PredictionCreatedDocument, {});
    const ofOne = beta.subscribe(PredictionCreatedDocument, { patientId });
    const firstOfAll = all.next();
    const firstOfOne = ofOne.next();
    // The protocol does not acknowledge a single subscription.
    await expect
      .poll(async () => (await fetch(`${system.url}/metrics`)).text())
      .toContain('riskgraph_subscriptions{kind="predictionCreated"} 2');

    // The events of other organizations, and of other patients, would come first.
    await scored(alpha);
    const other = await scored(beta);
    await beta.request(SubmitScoringJobDocument, { input: { patientId, modelId } });
    expect((await firstOfAll).value).toMatchObject({
      predictionCreated: { id: other.predictionId, patient: { id: other.patientId } },
    });
    expect((await all.next()).value).toMatchObject({ predictionCreated: { patient: { id: patientId } } });
    expect((await firstOfOne).value).toMatchObject({
      predictionCreated: { patient: { id: patientId }, probability: expect.any(Number) },
    });
    await all.return?.();
    await ofOne.return?.();
  });
});
