/** Covers src/audit/audit-trail.ts, src/audit/audit-writer.ts, src/http/denials.ts. */
// Threat: a caller reads or changes data of a patient, and the audit trail does not have it.

import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Types } from 'mongoose';
import { Role, type AuditEvent } from '../../models/index.js';
import { modelId, newPatient } from '../support/heart-disease.js';
import { connectSocket } from '../support/raw-socket.js';
import { pages, patient, scored, type Scored } from '../support/scenario.js';
import { codesOf, startSystem, type Answer } from '../support/system.js';

const system = await startSystem();
const { models } = system.app;
const clinician = await system.client('CLINICIAN');
const token = await system.token('CLINICIAN');
const organization = new Types.ObjectId(await system.organizationId());

let known: Scored;
beforeAll(async () => {
  known = await scored(clinician, { givenName: 'Canary' });
});

/** Events of this organization that were not there when the work began. */
async function eventsOf(work: () => Promise<unknown>): Promise<AuditEvent[]> {
  const before = await models.auditEvents.countDocuments({ organization });
  await work();
  return models.auditEvents
    .find({ organization, sequence: { $gt: before } })
    .sort({ sequence: 1 })
    .lean<AuditEvent[]>();
}

const patientsOf = (events: readonly AuditEvent[]): string[] => [
  ...new Set(events.flatMap(({ patients }) => patients.map((id) => id.toHexString()))),
];

/** Every way in which data of a patient leave the server, or are changed, and what is recorded of it. */
const accesses: [string, string, (of: Scored) => string][] = [
  ['patient by id', 'patient:read', ({ patientId }) => `{ patient(id: "${patientId}") { givenName } }`],
  ['patient by MRN', 'patient:read', ({ mrn }) => `{ patient(mrn: "${mrn}") { givenName } }`],
  ['patients', 'patient:read', ({ mrn }) => `{ patients(filter: { mrn: "${mrn}" }) { edges { node { givenName } } } }`],
  [
    'predictions of a patient',
    'prediction:read',
    ({ patientId }) => `{ patient(id: "${patientId}") { predictions { edges { node { probability } } } } }`,
  ],
  ['prediction', 'prediction:read', ({ predictionId }) => `{ prediction(id: "${predictionId}") { probability } }`],
  [
    'patient of a prediction',
    'patient:read',
    ({ predictionId }) => `{ prediction(id: "${predictionId}") { patient { givenName } } }`,
  ],
  [
    'predictions',
    'prediction:read',
    ({ patientId }) => `{ predictions(filter: { patientId: "${patientId}" }) { edges { node { probability } } } }`,
  ],
  ['patient of a job', 'patient:read', ({ jobId }) => `{ scoringJob(id: "${jobId}") { patient { givenName } } }`],
  [
    'prediction of a job',
    'prediction:read',
    ({ jobId }) => `{ scoringJob(id: "${jobId}") { prediction { probability } } }`,
  ],
  [
    'predictions of a job',
    'prediction:read',
    ({ jobId }) => `{ scoringJob(id: "${jobId}") { predictions { edges { node { probability } } } } }`,
  ],
  [
    'simulation',
    'risk:simulate',
    ({ patientId }) => `{ simulateRisk(input: { modelId: "${modelId}", patientId: "${patientId}" }) { probability } }`,
  ],
  ['verification', 'prediction:verify', ({ predictionId }) => `{ verifyPrediction(id: "${predictionId}") { agrees } }`],
  [
    'update',
    'patient:write',
    ({ patientId }) =>
      `mutation { updatePatient(input: { id: "${patientId}", expectedVersion: 1, givenName: "Other" }) { givenName } }`,
  ],
  [
    'submission',
    'job:submit',
    ({ patientId }) =>
      `mutation { submitScoringJob(input: { patientId: "${patientId}", modelId: "${modelId}" }) { id } }`,
  ],
  ['cancellation', 'job:control', ({ jobId }) => `mutation { cancelScoringJob(id: "${jobId}") { id } }`],
  ['retry', 'job:control', ({ jobId }) => `mutation { retryScoringJob(id: "${jobId}") { id } }`],
  ['deletion', 'patient:delete', ({ patientId }) => `mutation { deletePatient(id: "${patientId}") { id } }`],
];
const reads = accesses.filter(([, , operation]) =>
  operation({ patientId: '', mrn: '', jobId: '', predictionId: '' }).startsWith('{'),
);

// Shows: 164.312(a)(2)(i), 164.312(b)
test.each(reads)('%s is recorded: who, what, whose data, when, from where', async (_name, action, operation) => {
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
test("an id that is nobody's shows nothing, and is no read", async () => {
  expect(
    await eventsOf(() =>
      system.post(
        '{ patient(id: "aaaaaaaaaaaaaaaaaaaaaaaa") { id } patients(filter: { createdAfter: "2999-01-01T00:00:00Z" }) { totalCount } }',
        undefined,
        token,
      ),
    ),
  ).toEqual([]);
});

test.each<[string, string, object]>([
  ['by MRN', '{ patient(mrn: "nobody") { id } }', { action: 'patient:read', outcome: 'ALLOWED', patients: [] }],
  [
    'by MRN in a list',
    '{ patients(filter: { mrn: "nobody" }) { totalCount } }',
    { action: 'patient:read', outcome: 'ALLOWED', patients: [] },
  ],
  [
    'by name',
    '{ patients(filter: { familyName: "nobody" }) { totalCount } }',
    { action: 'patient:read', outcome: 'ALLOWED', patients: [] },
  ],
  [
    'behind the glass',
    'mutation { breakGlass(input: { mrn: "nobody", reason: "Looking for a neighbour" }) { id } }',
    { action: 'patient:break-glass', outcome: 'FAILED', patients: [] },
  ],
])('looking for somebody %s who is no patient is recorded', async (_name, operation, event) => {
  expect(await eventsOf(() => system.post(operation, undefined, token))).toMatchObject([event]);
});

// Shows: 164.312(b)
test('writes are recorded, and once more when they fail', async () => {
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

test('jobs are recorded with what they are about: submitted, cancelled, retried, one patient or many', async () => {
  const submit = `mutation { submitBatchScoringJob(input: { modelId: "${modelId}", patientIds: ["${known.patientId}"] }) { id } }`;
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
  '%s names the patient of a single job, and is recorded once more when it comes to nothing',
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

test('a key that two requests use at the same moment for different jobs is recorded as a failure of one of them', async () => {
  const created = await patient(clinician);
  const submitTwo = (key: string): Promise<Answer[]> =>
    Promise.all(
      [known.patientId, created.id].map((id) =>
        system.post(
          `mutation { submitScoringJob(input: { patientId: "${id}", modelId: "${modelId}", idempotencyKey: "${key}" }) { id } }`,
          undefined,
          token,
        ),
      ),
    );
  // Until both have found the key unused, and one was then too late to take it.
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
  'a %s of a patient that cannot be scored, which tells why, is recorded and once more as failed',
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

test('breaking the glass of a patient who is open already is recorded as a failure: the caller has learnt that it is a patient', async () => {
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
test('what a subscription shows is recorded, event by event', async () => {
  const events = await eventsOf(async () => {
    const socket = await connectSocket(system.url, token);
    socket.send({
      type: 'subscribe',
      id: '1',
      payload: {
        query: `subscription { scoringJobUpdated(id: "${known.jobId}") { job { patient { givenName } prediction { probability } } } }`,
      },
    });
    expect(await socket.next()).toMatchObject({ type: 'next' });
  });
  expect(new Set(events.map(({ action }) => action))).toEqual(new Set(['patient:read', 'prediction:read']));
  expect(patientsOf(events)).toEqual([known.patientId]);
});

describe('refusals are recorded, once an action and operation', () => {
  test('over HTTP', async () => {
    const analyst = await system.token('ANALYST');
    const events = await eventsOf(() =>
      system.post('{ patients { edges { node { givenName familyName } } } riskModels { id } }', undefined, analyst),
    );
    expect(events.filter(({ outcome }) => outcome === 'DENIED')).toMatchObject([
      { action: 'patient:read-identity', username: 'the-analyst' },
    ]);
  });

  test.each<[string, string, (id: string, mrn: string) => string]>([
    ['patient:read', 'by id', (id) => `{ patient(id: "${id}") { id } }`],
    ['patient:read', 'by MRN', (_id, mrn) => `{ patient(mrn: "${mrn}") { id } }`],
    [
      'patient:write',
      'update',
      (id) => `mutation { updatePatient(input: { id: "${id}", expectedVersion: 1 }) { id } }`,
    ],
    ['patient:delete', 'delete', (id) => `mutation { deletePatient(id: "${id}") { id } }`],
  ])('with whose data it was: %s, %s', async (action, _name, operation) => {
    const input = newPatient({ careTeam: ['the-clinician'] });
    const created = await patient(clinician, input);
    const stranger = await system.app.accessTokens.sign(
      { username: 'stranger', role: Role.CLINICIAN, organizationId: organization.toHexString() },
      60,
    );
    const answer = operation(created.id, input.mrn);
    const events = await eventsOf(async () =>
      expect((await system.post(answer, undefined, stranger)).text).not.toContain(created.id),
    );
    expect(events).toMatchObject([{ action, outcome: 'DENIED', username: 'stranger' }]);
    expect(patientsOf(events)).toEqual([created.id]);
  });

  test('over the WebSocket, before a subscription and within one', async () => {
    const admin = await system.token('ADMIN');
    const events = await eventsOf(async () => {
      const socket = await connectSocket(system.url, admin);
      socket.send({ type: 'subscribe', id: '1', payload: { query: 'subscription { predictionCreated { id } }' } });
      expect(await socket.next()).toMatchObject({ type: 'error' });
      socket.send({
        type: 'subscribe',
        id: '2',
        payload: { query: `subscription { scoringJobUpdated(id: "${known.jobId}") { job { failures { code } } } }` },
      });
      expect(await socket.next()).toMatchObject({ type: 'next' });
    });
    expect(events).toMatchObject([
      { action: 'prediction:read', outcome: 'DENIED' },
      { action: 'prediction:read', outcome: 'DENIED' },
    ]);
  });
});

describe('auditEvents', () => {
  // Shows: 164.312(b)
  test('shows ADMIN the trail page by page, and records that it did', async () => {
    const admin = await system.token('ADMIN');
    const query =
      'query ($after: String) { auditEvents(first: 5, after: $after, filter: { actions: ["patient:read"] }) { totalCount edges { node { sequence action username patientIds outcome } } pageInfo { endCursor hasNextPage } } }';
    type Page = {
      auditEvents: {
        totalCount: number;
        edges: { node: { sequence: number; action: string } }[];
        pageInfo: { endCursor: string; hasNextPage: boolean };
      };
    };
    const seen: number[] = [];
    let total = 0;
    for await (const page of pages(async (after) => {
      const { data, errors }: Answer<Page> = await system.post<Page>(query, { after }, admin);
      expect(errors).toBeUndefined();
      return data!.auditEvents;
    })) {
      seen.push(...page.edges.map(({ node }) => node.sequence));
      total = page.totalCount;
    }
    expect(seen).toHaveLength(total);
    expect(seen).toEqual([...seen].sort((a, b) => b - a));
    expect(await models.auditEvents.countDocuments({ organization, action: 'audit:read' })).toBeGreaterThan(0);
  });

  test('finds by patient, and shows nothing of another organization', async () => {
    const filter = `{ auditEvents(filter: { patientId: "${known.patientId}" }) { totalCount } }`;
    const { data } = await system.post<{ auditEvents: { totalCount: number } }>(
      filter,
      undefined,
      await system.token('ADMIN'),
    );
    expect(data!.auditEvents.totalCount).toBeGreaterThan(0);
    expect((await system.post(filter, undefined, await system.token('ADMIN', 'beta'))).data).toEqual({
      auditEvents: { totalCount: 0 },
    });
  });
});

describe('while the audit trail cannot be written', () => {
  /** The database itself refuses events from here to the end of the test. */
  async function refuseEvents(): Promise<void> {
    const { collection } = models.auditEvents;
    const last = await models.auditEvents.countDocuments({ organization });
    // No address is a place on earth: the index takes no document that it has to cover.
    const index = await collection.createIndex(
      { address: '2dsphere' },
      { partialFilterExpression: { sequence: { $gt: last } } },
    );
    onTestFinished(async () => void (await collection.dropIndex(index)));
  }

  // Shows: 164.312(b)
  test.each(accesses)('%s is refused, and nothing is shown or changed', async (_name, _action, operation) => {
    const before = await system.counts();
    await refuseEvents();
    const answer = await system.post(operation(known), undefined, token);
    expect(new Set(codesOf(answer))).toEqual(new Set(['SERVICE_UNAVAILABLE']));
    expect(answer.errors![0]!.message).toContain('audit trail');
    expect(answer.text).not.toMatch(/Canary|"probability":\d/);
    expect(await system.counts()).toEqual(before);
    expect((await models.patients.findById(known.patientId).lean())!.version).toBe(1);
  });

  test('a subscription shows nothing either', async () => {
    await refuseEvents();
    const socket = await connectSocket(system.url, token);
    socket.send({
      type: 'subscribe',
      id: '1',
      payload: { query: `subscription { scoringJobUpdated(id: "${known.jobId}") { job { patient { givenName } } } }` },
    });
    const message = JSON.stringify(await socket.next());
    expect(message).toContain('SERVICE_UNAVAILABLE');
    expect(message).not.toContain('Canary');
  });
});
