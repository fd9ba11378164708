/** Covers src/patients/care-team-fence.ts, src/patients/break-glass.ts, src/patients/visible-rows.ts. */
// Threat: a clinician of the same organization looks for a patient outside their care team, on every way to the
// patient.

import { beforeEach, describe, expect, test } from 'vitest';
import { Types } from 'mongoose';
import type { AuditEvent } from '../../models/index.js';
import { careTeams, type ScoredPatient } from '../support/care-team.js';
import { modelId, newPatient } from '../support/heart-disease.js';
import { connectSocket } from '../support/raw-socket.js';
import { codesOf, startSystem, type Answer } from '../support/system.js';

const system = await startSystem();
const { models } = system.app;
const { clinician, eventsOf, endBreakGlass, ...given } = careTeams(system);
const [ada, bob] = await Promise.all([clinician('ada'), clinician('bob')]);
const patientOf = (careTeam: string[] | null): Promise<ScoredPatient> => given.patientOf(careTeam, ada);
const breakGlass = (by: string, token = bob, reason?: string): Promise<Answer> => given.breakGlass(by, token, reason);

let hers: ScoredPatient;
beforeEach(async () => {
  hers = await patientOf(['ada']);
});

describe('a patient with a care team', () => {
  test('is open to its members', async () => {
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
  ])('is FORBIDDEN to a colleague who is none, with the way in: %s', async (_name, operation) => {
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
  test('shows a colleague none of its results, on no way', async () => {
    const { data, errors } = await system.post(
      `{ prediction(id: "${hers.predictionId}") { id } verifyPrediction(id: "${hers.predictionId}") { agrees }
         predictions(filter: { patientId: "${hers.id}" }) { totalCount edges { cursor } } byFilter: patients(filter: { mrn: "${hers.mrn}" }) { totalCount edges { cursor } }
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
      `mutation { submitBatchScoringJob(input: { modelId: "${modelId}", patientIds: ["${hers.id}", "${open.id}"] }) { id } }`,
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
    expect((await eventsOf(hers.id, 'ada')).at(-1)).toMatchObject({ action: 'prediction:read', outcome: 'ALLOWED' });
    expect(await eventsOf(hers.id, 'bob')).toEqual([]);
  });

  // Shows: 164.312(a)(1)
  test('is in no stream of a colleague, who goes on hearing of others', async () => {
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

  test('is no secret from roles that see no names', async () => {
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

  test('must name whoever writes it, and somebody', async () => {
    for (const careTeam of [['bob'], []]) {
      const answer = await system.post(
        'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { id } }',
        { input: newPatient({ careTeam }) },
        ada,
      );
      expect(answer.errors![0]!.extensions).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ path: 'careTeam' }] });
    }
  });

  test('can be opened to everybody by its members', async () => {
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

describe('breaking the glass', () => {
  // Shows: 164.312(a)(2)(ii)
  test.each<[string, (of: ScoredPatient) => string]>([
    ['by id', ({ id }) => `patientId: "${id}"`],
    ['by MRN', ({ mrn }) => `mrn: "${mrn}"`],
  ])('%s opens the patient, and all that is seen then is flagged', async (_name, by) => {
    expect(await breakGlass(by(hers))).toMatchObject({ data: { breakGlass: { patientId: hers.id, username: 'bob' } } });
    const { data } = await system.post(
      `{ patient(id: "${hers.id}") { givenName predictions { totalCount } } prediction(id: "${hers.predictionId}") { id } }`,
      undefined,
      bob,
    );
    expect(data).toEqual({
      patient: { givenName: 'Canary', predictions: { totalCount: 1 } },
      prediction: { id: hers.predictionId },
    });
    const events = await eventsOf(hers.id, 'bob');
    expect(events[0]).toMatchObject({ action: 'patient:break-glass', outcome: 'ALLOWED', flagged: true });
    expect(events.map(({ action }) => action)).toEqual(expect.arrayContaining(['patient:read', 'prediction:read']));
    expect(events.every(({ flagged }) => flagged)).toBe(true);
    expect((await eventsOf(hers.id, 'ada')).every(({ flagged }) => !flagged)).toBe(true);
  });

  test('opens nothing to anybody else', async () => {
    await breakGlass(`patientId: "${hers.id}"`);
    expect(
      codesOf(await system.post(`{ patient(id: "${hers.id}") { id } }`, undefined, await clinician('eve'))),
    ).toEqual(['FORBIDDEN']);
  });

  // Shows: 164.312(a)(2)(ii)
  test('ends with its time', async () => {
    await breakGlass(`patientId: "${hers.id}"`);
    await endBreakGlass(hers.id);
    expect(codesOf(await system.post(`{ patient(id: "${hers.id}") { id } }`, undefined, bob))).toEqual(['FORBIDDEN']);
    expect(await breakGlass(`patientId: "${hers.id}"`)).toMatchObject({ data: { breakGlass: { patientId: hers.id } } });
  });

  // Shows: 164.312(a)(2)(ii)
  test('ends with its time in a subscription that is open, too', async () => {
    await breakGlass(`patientId: "${hers.id}"`);
    const socket = await connectSocket(system.url, bob);
    socket.send({
      type: 'subscribe',
      id: '1',
      payload: { query: 'subscription { predictionCreated { patient { id givenName } } }' },
    });
    await expect
      .poll(async () => (await fetch(`${system.url}/metrics`)).text())
      .toContain('riskgraph_subscriptions{kind="predictionCreated"} 1');
    const scoreOnce = async (id: string): Promise<void> => {
      const before = await models.predictions.countDocuments({ patient: id });
      await system.post(
        `mutation { submitScoringJob(input: { patientId: "${id}", modelId: "${modelId}" }) { id } }`,
        undefined,
        ada,
      );
      await expect.poll(() => models.predictions.countDocuments({ patient: id })).toBe(before + 1);
    };
    await scoreOnce(hers.id);
    expect(await socket.next()).toMatchObject({
      type: 'next',
      payload: { data: { predictionCreated: { patient: { id: hers.id, givenName: 'Canary' } } } },
    });
    await endBreakGlass(hers.id);
    const seen = (await eventsOf(hers.id, 'bob')).length;
    await scoreOnce(hers.id);
    const open = await patientOf(null);
    expect(await socket.next()).toMatchObject({
      type: 'next',
      payload: { data: { predictionCreated: { patient: { id: open.id } } } },
    });
    expect(await eventsOf(hers.id, 'bob')).toHaveLength(seen);
  });

  test('lets nobody into the care team', async () => {
    await breakGlass(`patientId: "${hers.id}"`);
    for (const careTeam of ['["ada", "bob"]', 'null']) {
      expect(
        codesOf(
          await system.post(
            `mutation { updatePatient(input: { id: "${hers.id}", expectedVersion: 1, careTeam: ${careTeam} }) { id } }`,
            undefined,
            bob,
          ),
        ),
      ).toEqual(['FORBIDDEN']);
    }
  });

  // Shows: 164.312(a)(2)(ii)
  test('is for reading and treating: it erases nobody', async () => {
    await breakGlass(`patientId: "${hers.id}"`);
    const answer = await system.post(`mutation { deletePatient(id: "${hers.id}") { id } }`, undefined, bob);
    expect(codesOf(answer)).toEqual(['FORBIDDEN']);
    expect(answer.errors![0]!.message).toContain('care team');
    expect((await eventsOf(hers.id, 'bob')).at(-1)).toMatchObject({
      action: 'patient:delete',
      outcome: 'DENIED',
      flagged: true,
    });
    expect((await system.post(`{ prediction(id: "${hers.predictionId}") { id } }`, undefined, ada)).data).toEqual({
      prediction: { id: hers.predictionId },
    });
    expect((await system.post(`mutation { deletePatient(id: "${hers.id}") { id } }`, undefined, ada)).data).toEqual({
      deletePatient: { id: hers.id },
    });
  });

  // Shows: 164.312(a)(2)(ii)
  test('wants a reason, one patient, and a closed one', async () => {
    expect((await breakGlass(`patientId: "${hers.id}"`, bob, 'because')).errors![0]!.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ path: 'reason' }],
    });
    expect(codesOf(await breakGlass(`patientId: "${hers.id}", mrn: "${hers.mrn}"`))).toEqual(['BAD_USER_INPUT']);
    expect(codesOf(await breakGlass('patientId: "aaaaaaaaaaaaaaaaaaaaaaaa"'))).toEqual(['NOT_FOUND']);
    expect(codesOf(await breakGlass(`patientId: "${hers.id}"`, ada))).toEqual(['CONFLICT']);
  });

  // Shows: 164.312(a)(2)(ii)
  test('is read by ADMIN, with the reason', async () => {
    await breakGlass(`patientId: "${hers.id}"`, bob, 'Reason number seventeen');
    const { data } = await system.post<{
      breakGlassAccesses: { edges: { node: object }[] };
      auditEvents: { totalCount: number };
    }>(
      '{ breakGlassAccesses(first: 1) { edges { node { patientId username reason } } } auditEvents(filter: { flagged: true, username: "bob" }) { totalCount } }',
      undefined,
      await system.token('ADMIN'),
    );
    expect(data!.breakGlassAccesses.edges).toEqual([
      { node: { patientId: hers.id, username: 'bob', reason: 'Reason number seventeen' } },
    ]);
    expect(data!.auditEvents.totalCount).toBeGreaterThan(0);
    expect(await eventsOf(hers.id, 'the-admin')).toMatchObject([{ action: 'audit:read', outcome: 'ALLOWED' }]);
  });

  test('reaches no other organization', async () => {
    const stranger = await system.token('CLINICIAN', 'beta');
    expect(codesOf(await breakGlass(`patientId: "${hers.id}"`, stranger))).toEqual(['NOT_FOUND']);
    expect(codesOf(await breakGlass(`mrn: "${hers.mrn}"`, stranger))).toEqual(['NOT_FOUND']);
  });
});
