/** Covers src/audit/audit-trail.ts, src/audit/audit-writer.ts. */
// Threat: a caller reads or changes data of a patient, and the audit trail does not have it.

import { expect, test } from 'vitest';
import { accesses, patientsOf, startAuditedSystem } from '../support/audited-system.js';
import { modelId, newPatient } from '../support/heart-disease.js';
import { connectSocket } from '../support/raw-socket.js';
import { patient } from '../support/scenario.js';
import { codesOf, type Answer } from '../support/system.js';

const { system, clinician, token, known, eventsOf } = await startAuditedSystem();
const { models } = system.app;

const reads = accesses.filter(([, , operation]) =>
  operation({ patientId: '', mrn: '', jobId: '', predictionId: '' }).startsWith('{'),
);

// Shows: 164.312(a)(2)(i), 164.312(b)
test.each(reads)('%s is recorded with caller, action, patient, time and address', async (_name, action, operation) => {
  const start = Date.now();
  const events = await eventsOf(() => system.post(operation(known), undefined, token));
  const event = events.find((one) => one.action === action)!;
  expect(event).toMatchObject({
    username: 'the-clinician',
    role: 'CLINICIAN',
    address: '127.0.0.1',
    outcome: 'ALLOWED',
    flagged: false,
  });
  expect(event.patients.map((id) => id.toHexString())).toEqual([known.patientId]);
  expect(event.occurredAt.getTime()).toBeGreaterThanOrEqual(start);
  expect(event.requestId).toMatch(/^[0-9a-f-]{36}$/);
  expect(new Set(events.map(({ requestId }) => requestId)).size).toBe(1);
});

// Shows: 164.312(b)
test('an unknown patient id shows nothing, and is not recorded as a read', async () => {
  expect(
    await eventsOf(() =>
      system.post(
        /* GraphQL */ `
          {
            patient(id: "aaaaaaaaaaaaaaaaaaaaaaaa") {
              id
            }
            patients(filter: { createdAfter: "2999-01-01T00:00:00Z" }) {
              totalCount
            }
          }
        `,
        undefined,
        token,
      ),
    ),
  ).toEqual([]);
});

test.each<[string, string, object]>([
  ['by MRN', '{ patient(mrn: "unknown") { id } }', { action: 'patient:read', outcome: 'ALLOWED', patients: [] }],
  [
    'by MRN in a list',
    '{ patients(filter: { mrn: "unknown" }) { totalCount } }',
    { action: 'patient:read', outcome: 'ALLOWED', patients: [] },
  ],
  [
    'by name',
    '{ patients(filter: { familyName: "unknown" }) { totalCount } }',
    { action: 'patient:read', outcome: 'ALLOWED', patients: [] },
  ],
  [
    'behind the glass',
    'mutation { breakGlass(input: { mrn: "unknown", reason: "Looking for a neighbour" }) { id } }',
    { action: 'patient:break-glass', outcome: 'FAILED', patients: [] },
  ],
])('a search %s for a person who is no patient is recorded', async (_name, operation, event) => {
  expect(await eventsOf(() => system.post(operation, undefined, token))).toMatchObject([event]);
});

// Shows: 164.312(b)
test('writes are recorded, and recorded again when they fail', async () => {
  const created = await eventsOf(() =>
    system.post(
      'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { id } }',
      { input: newPatient() },
      token,
    ),
  );
  expect(created).toMatchObject([{ action: 'patient:write', outcome: 'ALLOWED' }]);
  const [patientId] = patientsOf(created);
  expect(await models.patients.countDocuments({ _id: patientId })).toBe(1);
  const taken = await eventsOf(() =>
    system.post(
      'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { id } }',
      { input: newPatient({ mrn: known.mrn }) },
      token,
    ),
  );
  expect(taken).toMatchObject([
    { action: 'patient:write', outcome: 'ALLOWED' },
    { action: 'patient:write', outcome: 'FAILED' },
  ]);
  const stale = await eventsOf(() =>
    system.post(
      `mutation { updatePatient(input: { id: "${patientId}", expectedVersion: 7 }) { id } }`,
      undefined,
      token,
    ),
  );
  expect(stale.map(({ outcome }) => outcome)).toEqual(['ALLOWED', 'FAILED']);
});

// Shows: 164.312(b)
test('a deleted patient leaves a tombstone', async () => {
  const created = await patient(clinician);
  const events = await eventsOf(() =>
    system.post(`mutation { deletePatient(id: "${created.id}") { id } }`, undefined, token),
  );
  expect(events).toMatchObject([{ action: 'patient:delete', outcome: 'ALLOWED' }]);
  expect(patientsOf(events)).toEqual([created.id]);
});

test('submitting, cancelling and retrying jobs is recorded with the patients, one or many', async () => {
  const submit = /* GraphQL */ `
    mutation {
      submitBatchScoringJob(input: {modelId: "${modelId}", patientIds: ["${known.patientId}"]}) {
        id
      }
    }
  `;
  let answer: Answer<{ submitBatchScoringJob: { id: string } }>;
  expect(await eventsOf(async () => (answer = await system.post(submit, undefined, token)))).toMatchObject([
    { action: 'job:submit', outcome: 'ALLOWED' },
  ]);
  const { id } = answer!.data!.submitBatchScoringJob;
  const control = await eventsOf(() =>
    system.post(`mutation { cancelScoringJob(id: "${id}") { id } }`, undefined, token),
  );
  expect(control[0]).toMatchObject({ action: 'job:control', subject: { kind: 'SCORING_JOB', id } });
  expect(patientsOf(control)).toEqual([]);
});

// Shows: 164.312(b)
test.each(['cancelScoringJob', 'retryScoringJob'])(
  '%s is recorded with the patient of a single job, and recorded again when it fails',
  async (mutation) => {
    let answer: Answer;
    const events = await eventsOf(
      async () =>
        (answer = await system.post(`mutation { ${mutation}(id: "${known.jobId}") { id } }`, undefined, token)),
    );
    expect(codesOf(answer!)).toEqual(['CONFLICT']);
    const event = { action: 'job:control', subject: { kind: 'SCORING_JOB', id: known.jobId } };
    expect(events).toMatchObject([
      { ...event, outcome: 'ALLOWED' },
      { ...event, outcome: 'FAILED' },
    ]);
    for (const one of events) expect(patientsOf([one])).toEqual([known.patientId]);
  },
);

test('when two requests use one key at once for different jobs, one is recorded as failed', async () => {
  const created = await patient(clinician);
  const submitTwo = (key: string): Promise<Answer[]> =>
    Promise.all(
      [known.patientId, created.id].map((id) =>
        system.post(
          /* GraphQL */ `
            mutation {
              submitScoringJob(
                input: {patientId: "${id}", modelId: "${modelId}", idempotencyKey: "${key}"}
              ) {
                id
              }
            }
          `,
          undefined,
          token,
        ),
      ),
    );
  // Repeats until both requests found the key unused, and one of them was too late.
  for (let attempt = 0; ; attempt += 1) {
    let answers: Answer[];
    const events = await eventsOf(async () => (answers = await submitTwo(`contested-${attempt}`)));
    expect(answers!.flatMap(codesOf)).toEqual(['CONFLICT']);
    const submissions = events.filter(({ action }) => action === 'job:submit').map(({ outcome }) => outcome);
    if (submissions.filter((outcome) => outcome === 'ALLOWED').length < 2) continue;
    expect(submissions.sort()).toEqual(['ALLOWED', 'ALLOWED', 'FAILED']);
    break;
  }
});

// Shows: 164.312(b)
test.each<[string, string, (patientId: string) => string]>([
  [
    'simulation',
    'risk:simulate',
    (patientId) => `{ simulateRisk(input: { modelId: "${modelId}", patientId: "${patientId}" }) { probability } }`,
  ],
  [
    'submission',
    'job:submit',
    (patientId) => `mutation { submitScoringJob(input: { modelId: "${modelId}", patientId: "${patientId}" }) { id } }`,
  ],
])(
  'a %s of a patient that cannot be scored is recorded, and recorded again as failed',
  async (_name, action, operation) => {
    const created = await patient(clinician, { features: [] });
    const events = await eventsOf(async () =>
      expect(codesOf(await system.post(operation(created.id), undefined, token))).toEqual(['BAD_USER_INPUT']),
    );
    expect(events).toMatchObject([
      { action, outcome: 'ALLOWED' },
      { action, outcome: 'FAILED' },
    ]);
    for (const one of events) expect(patientsOf([one])).toEqual([created.id]);
  },
);

test('breaking the glass of a visible patient is recorded as a failure', async () => {
  const events = await eventsOf(() =>
    system.post(
      `mutation { breakGlass(input: { mrn: "${known.mrn}", reason: "Looking for a neighbour" }) { id } }`,
      undefined,
      token,
    ),
  );
  expect(events).toMatchObject([{ action: 'patient:break-glass', outcome: 'FAILED' }]);
  expect(patientsOf(events)).toEqual([known.patientId]);
});

// Shows: 164.312(b)
test('each event that a subscription shows is recorded', async () => {
  const events = await eventsOf(async () => {
    const socket = await connectSocket(system.url, token);
    socket.send({
      type: 'subscribe',
      id: '1',
      payload: {
        query: /* GraphQL */ `
          subscription {
            scoringJobUpdated(id: "${known.jobId}") {
              job {
                patient {
                  givenName
                }
                prediction {
                  probability
                }
              }
            }
          }
        `,
      },
    });
    expect(await socket.next()).toMatchObject({ type: 'next' });
  });
  expect(new Set(events.map(({ action }) => action))).toEqual(new Set(['patient:read', 'prediction:read']));
  expect(patientsOf(events)).toEqual([known.patientId]);
});
