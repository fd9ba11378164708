/** Covers src/patients/care-team-fence.ts, src/patients/break-glass.ts, src/patients/visible-rows.ts. */
// Threat: a clinician of the same organization, but outside the care team, looks for a patient on every way.

import { beforeEach, describe, expect, test } from 'vitest';
import { Types } from 'mongoose';
import { type AuditEvent } from '../../models/index.js';
import { careTeams, type ScoredPatient } from '../support/care-team.js';
import { modelId, newPatient } from '../support/heart-disease.js';
import { connectSocket } from '../support/raw-socket.js';
import { codesOf, startSystem } from '../support/system.js';

const system = await startSystem();
const { models } = system.app;
const { clinician, eventsOf, ...given } = careTeams(system);
const [ada, bob] = await Promise.all([clinician('ada'), clinician('bob')]);
const patientOf = (careTeam: string[] | null): Promise<ScoredPatient> => given.patientOf(careTeam, ada);

let hers: ScoredPatient;
beforeEach(async () => {
  hers = await patientOf(['ada']);
});

describe('a patient with a care team', () => {
  test('is visible to its members', async () => {
    expect((await system.post(`{ patient(id: "${hers.id}") { givenName careTeam } }`, undefined, ada)).data).toEqual({
      patient: { givenName: 'Canary', careTeam: ['ada'] },
    });
  });

  // Shows: owasp/idor
  test.each<[string, (of: ScoredPatient) => string]>([
    ['read by id', ({ id }) => `{ patient(id: "${id}") { givenName } }`],
    ['read by MRN', ({ mrn }) => `{ patient(mrn: "${mrn}") { givenName } }`],
    [
      'update',
      ({ id }) => `mutation { updatePatient(input: { id: "${id}", expectedVersion: 1, givenName: "X" }) { id } }`,
    ],
    ['delete', ({ id }) => `mutation { deletePatient(id: "${id}") { id } }`],
    ['score', ({ id }) => `mutation { submitScoringJob(input: { patientId: "${id}", modelId: "${modelId}" }) { id } }`],
    ['simulate', ({ id }) => `{ simulateRisk(input: { patientId: "${id}", modelId: "${modelId}" }) { probability } }`],
  ])('is FORBIDDEN to a colleague outside the team, and the error names breakGlass: %s', async (_name, operation) => {
    const before = await system.counts();
    const answer = await system.post(operation(hers), undefined, bob);
    expect(codesOf(answer)).toEqual(['FORBIDDEN']);
    expect(answer.errors![0]!.message).toContain('breakGlass');
    expect(answer.text).not.toContain('Canary');
    expect(await system.counts()).toEqual(before);
    const denials = await models.auditEvents.find({ username: 'bob', outcome: 'DENIED' }).lean<AuditEvent[]>();
    expect(denials.length).toBeGreaterThan(0);
  });

  // Shows: 164.312(a)(1)
  test('shows a colleague none of its results on any way', async () => {
    const { data, errors } = await system.post(
      `{ prediction(id: "${hers.predictionId}") { id } verifyPrediction(id: "${hers.predictionId}") { agrees }
         predictions(filter: { patientId: "${hers.id}" }) { totalCount edges { cursor } }
         byFilter: patients(filter: { mrn: "${hers.mrn}" }) { totalCount edges { cursor } }
         scoringJob(id: "${hers.jobId}") { id } }`,
      undefined,
      bob,
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      prediction: null,
      verifyPrediction: null,
      predictions: { totalCount: 0, edges: [] },
      byFilter: { totalCount: 0, edges: [] },
      scoringJob: null,
    });
    const denied = (await eventsOf(hers.id, 'bob'))
      .filter(({ outcome }) => outcome === 'DENIED')
      .map(({ action }) => action);
    expect(denied.sort()).toEqual(['job:read', 'prediction:read', 'prediction:verify']);
  });

  // Shows: 164.312(a)(1)
  test('is in no list and no batch of a colleague', async () => {
    const { data } = await system.post<{ patients: { edges: { node: { id: string } }[] } }>(
      '{ patients(first: 500) { edges { node { id } } } }',
      undefined,
      bob,
    );
    expect(data!.patients.edges.map(({ node }) => node.id)).not.toContain(hers.id);
    const named = await system.post(
      `mutation { submitBatchScoringJob(input: { modelId: "${modelId}", patientIds: ["${hers.id}"] }) { id } }`,
      undefined,
      bob,
    );
    expect(codesOf(named)).toEqual(['BAD_USER_INPUT']);
    const filtered = await system.post(
      `mutation { submitBatchScoringJob(input: { modelId: "${modelId}", filter: { mrn: "${hers.mrn}" } }) { id } }`,
      undefined,
      bob,
    );
    expect(codesOf(filtered)).toEqual(['BAD_USER_INPUT']);
  });

  // Shows: 164.312(a)(1)
  test('is not among the failures of a batch that a colleague looks at', async () => {
    const open = await patientOf(null);
    const { data } = await system.post<{ submitBatchScoringJob: { id: string } }>(
      /* GraphQL */ `
        mutation {
          submitBatchScoringJob(
            input: {modelId: "${modelId}", patientIds: ["${hers.id}", "${open.id}"]}
          ) {
            id
          }
        }
      `,
      undefined,
      ada,
    );
    const jobId = data!.submitBatchScoringJob.id;
    const job = new Types.ObjectId(jobId);
    await expect.poll(() => models.scoringChunks.countDocuments({ job, done: true })).toBe(1);
    const failures = [hers, open].map(({ id }) => ({
      patient: new Types.ObjectId(id),
      code: 'BAD_USER_INPUT',
      message: 'cholesterol is missing',
    }));
    await models.scoringChunks.updateOne({ job }, { $set: { failures, failed: 2 } });
    const failuresFor = async (token: string): Promise<unknown> =>
      (await system.post(`{ scoringJob(id: "${jobId}") { failures { patientId } } }`, undefined, token)).data;
    expect(await failuresFor(ada)).toEqual({
      scoringJob: { failures: [{ patientId: hers.id }, { patientId: open.id }] },
    });
    expect(await failuresFor(bob)).toEqual({ scoringJob: { failures: [{ patientId: open.id }] } });
    const pageFor = async (token: string): Promise<unknown> =>
      (
        await system.post(
          `{ scoringJob(id: "${jobId}") { failureConnection { totalCount edges { node { patientId patient { id mrn } } } } } }`,
          undefined,
          token,
        )
      ).data;
    expect(await pageFor(bob)).toEqual({
      scoringJob: {
        failureConnection: {
          totalCount: 1,
          edges: [{ node: { patientId: open.id, patient: expect.objectContaining({ id: open.id }) } }],
        },
      },
    });
    expect((await eventsOf(hers.id, 'ada')).at(-1)).toMatchObject({ action: 'prediction:read', outcome: 'ALLOWED' });
    expect(await eventsOf(hers.id, 'bob')).toEqual([]);
  });

  // Shows: 164.312(a)(1)
  test('is in no stream of a colleague, and the stream continues with other patients', async () => {
    const socket = await connectSocket(system.url, bob);
    socket.send({
      type: 'subscribe',
      id: '1',
      payload: { query: 'subscription { predictionCreated { id patient { id } } }' },
    });
    await expect
      .poll(async () => (await fetch(`${system.url}/metrics`)).text())
      .toContain('riskgraph_subscriptions{kind="predictionCreated"} 1');
    await patientOf(['ada']);
    const open = await patientOf(null);
    expect(await socket.next()).toMatchObject({
      type: 'next',
      payload: { data: { predictionCreated: { id: open.predictionId, patient: { id: open.id } } } },
    });
    socket.send({
      type: 'subscribe',
      id: '2',
      payload: { query: `subscription { predictionCreated(patientId: "${hers.id}") { id } }` },
    });
    expect(await socket.next()).toMatchObject({
      type: 'error',
      id: '2',
      payload: [{ extensions: { code: 'NOT_FOUND' } }],
    });
  });

  test('is visible to roles that see no names', async () => {
    const { data } = await system.post<{ patient: object }>(
      `{ patient(id: "${hers.id}") { sex } }`,
      undefined,
      await system.token('ANALYST'),
    );
    expect(data!.patient).toEqual({ sex: 'UNKNOWN' });
    expect(
      codesOf(
        await system.post(`{ patient(id: "${hers.id}") { careTeam } }`, undefined, await system.token('ANALYST')),
      ),
    ).toEqual(['FORBIDDEN']);
  });

  test('must include the clinician who writes it, and cannot be empty', async () => {
    for (const careTeam of [['bob'], []]) {
      const answer = await system.post(
        'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { id } }',
        { input: newPatient({ careTeam }) },
        ada,
      );
      expect(answer.errors![0]!.extensions).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ path: 'careTeam' }] });
    }
  });

  test('can be made visible to all clinicians by its members', async () => {
    await system.post(
      `mutation { updatePatient(input: { id: "${hers.id}", expectedVersion: 1, careTeam: null }) { id } }`,
      undefined,
      ada,
    );
    expect((await system.post(`{ patient(id: "${hers.id}") { careTeam } }`, undefined, bob)).data).toEqual({
      patient: { careTeam: null },
    });
  });
});
