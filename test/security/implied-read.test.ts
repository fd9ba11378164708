/** Covers src/predictions/prediction-service.ts, src/jobs/job-service.ts, src/patients/patient-filter.ts. */
// Threat: a caller who may not read a patient learns the patient's values through another action: by simulating,
// submitting, verifying or retrying, or by the number of matches.

import { beforeAll, describe, expect, test } from 'vitest';
import { Role, type AuditEvent } from '../../models/index.js';
import { buildBareSchema } from '../../schema/build-schema.js';
import { fieldRule } from '../../schema/permission-rules.js';
import { mayViewer } from '../../src/auth/authorize.js';
import type { Viewer } from '../../src/auth/viewer.js';
import { apiKeyScopes } from '../../src/identity/api-keys/api-key-service.js';
import { startWorkers } from '../../workers/index.js';
import { careTeams } from '../support/care-team.js';
import { modelId, newPatient } from '../support/heart-disease.js';
import { createApiKey } from '../support/identity.js';
import { everyCall, type Call } from '../support/operations.js';
import { connectSocket } from '../support/raw-socket.js';
import { codesOf, startSystem } from '../support/system.js';

// The walk asks for every field at once, so its operations are larger than those of callers may be.
const system = await startSystem({
  worker: false,
  environment: { QUERY_FIELD_LIMIT: '5000', QUERY_TOKEN_LIMIT: '20000', QUERY_COST_LIMIT: '100000000' },
});
const { models } = system.app;
const schema = buildBareSchema(system.app);
const { clinician, patientOf, failJob, eventsOf } = careTeams(system);
const [ada, bob] = await Promise.all([clinician('ada'), clinician('bob')]);

/** Values of the patient as it is now. The stored prediction was made from other values. */
const markers = ['Canarygiven', 'Canaryfamily', 'Canarymrn-9', '1951-07-23', '567.0625'];
/** A reason that tells of the patient. */
const clinicalReason = 'cholesterol: 999.5 is above the range';

let closed: { readonly id: string; readonly jobId: string; readonly predictionId: string };

beforeAll(async () => {
  const workers = await startWorkers(system.app);
  closed = await patientOf(['ada'], ada);
  await workers.close();
  const { errors } = await system.post(
    'mutation ($input: UpdatePatientInput!) { updatePatient(input: $input) { id } }',
    {
      input: {
        id: closed.id,
        expectedVersion: 1,
        mrn: 'Canarymrn-9',
        givenName: 'Canarygiven',
        familyName: 'Canaryfamily',
        birthDate: '1951-07-23',
        sex: 'FEMALE',
        features: [{ code: 'cholesterol', value: 567.0625 }],
      },
    },
    ada,
  );
  expect(errors).toBeUndefined();
});

const apiKey = (scopes: readonly string[]): Promise<string> => createApiKey(system, scopes);

/** Gives the ids of the closed patient and of what hangs on it to every argument that can take them. */
function candidates(path: string, type: string): readonly unknown[] {
  if (type === 'ID') return path.endsWith('modelId') ? [modelId] : [closed.id, closed.jobId, closed.predictionId];
  if (type === 'AdministrativeGender') return ['FEMALE'];
  return [];
}

const ofPatients = (call: Call): boolean =>
  Object.values(closed).some((id) => JSON.stringify(call.variables).includes(id)) ||
  JSON.stringify(call.variables).includes('FEMALE') ||
  /patient|prediction|job/i.test(call.field);

/** Runs an operation over the transport of its kind. @returns the text of the first answer */
async function answerTo({ kind, operation, variables }: Call, token: string): Promise<string> {
  if (kind !== 'subscription') return (await system.post(operation, variables, token)).text;
  const socket = await connectSocket(system.url, token);
  socket.send({ type: 'subscribe', id: '1', payload: { query: operation, variables } });
  // These two say nothing before the next change.
  const silent = /predictionCreated|scoringJobsUpdated/.test(operation);
  const answer = silent ? '' : JSON.stringify(await socket.next());
  socket.close();
  return answer;
}

/** Tells whether a caller may read a field. A refused field would hide those beside it from the walk. */
const readable =
  (caller: Pick<Viewer, 'role' | 'scopes'>) =>
  (type: string, field: string): boolean => {
    const rule = fieldRule(type, field);
    return rule === 'with-parent' || rule === 'public' || (rule !== undefined && mayViewer(caller, rule));
  };

/** A caller of the walk: the credential, and what it may do. */
interface WalkCaller extends Pick<Viewer, 'role' | 'scopes'> {
  readonly token: string;
}
const ofRole = async (role: Role): Promise<WalkCaller> => ({ role, token: await system.token(role) });
const ofKey = async (scopes: WalkCaller['scopes']): Promise<WalkCaller> => ({
  role: Role.SERVICE,
  scopes,
  token: await apiKey(scopes!),
});

/**
 * The names of the calls whose answers show one of the texts. Breaking the glass and handing a patient over
 * are left out: they are rights of their own.
 * @param except another field to leave out
 */
async function callsThatShow(texts: readonly string[], caller: WalkCaller, except?: string): Promise<Set<string>> {
  await failJob(closed.jobId, clinicalReason);
  const before = await models.patients.findById(closed.id).lean().orFail();
  const calls = everyCall(schema, candidates, 5, readable(caller)).filter(
    (call) => ofPatients(call) && !['breakGlass', 'assignCareTeam'].includes(call.field) && call.field !== except,
  );
  expect(calls.length).toBeGreaterThan(25);
  const telling = new Set<string>();
  for (const call of calls) {
    const answer = await answerTo(call, caller.token);
    expect(answer, call.name).not.toContain('QUERY_TOO_COMPLEX');
    if (texts.some((text) => answer.includes(text))) telling.add(call.name);
  }
  expect(await models.patients.findById(closed.id).lean()).toEqual(before);
  return telling;
}

describe('the values of a closed patient', () => {
  test('are in the answers of the walk to a member of the care team, so the walk finds them', async () => {
    expect([
      ...(await callsThatShow([...markers, clinicalReason], { role: Role.CLINICIAN, token: ada }, 'deletePatient')),
    ]).toEqual(
      expect.arrayContaining([
        'Query.patient.id',
        'Query.prediction.id',
        'Query.scoringJob.id',
        'Query.scoringJobs',
        'Query.simulateRisk.input.patientId',
      ]),
    );
  }, 60_000);

  // Shows: owasp/authorization, owasp/idor
  test.each<[string, () => Promise<WalkCaller>]>([
    ['the role SERVICE', () => ofRole(Role.SERVICE)],
    ['an API key of all scopes', () => ofKey(apiKeyScopes)],
    ['an API key that may simulate only', () => ofKey(['risk:simulate'])],
  ])(
    'are in no answer to %s, on any root field',
    async (_name, credential) => {
      expect([...(await callsThatShow(markers, await credential()))]).toEqual([]);
    },
    60_000,
  );

  // Shows: owasp/authorization, owasp/idor
  test.each<[string, () => Promise<WalkCaller>]>([
    ['a clinician outside of the care team', async () => ({ role: Role.CLINICIAN, token: bob })],
    ['the role ADMIN', () => ofRole(Role.ADMIN)],
    ...apiKeyScopes
      .filter((scope) => scope !== 'prediction:read')
      .map((scope) => [`an API key for ${scope}`, () => ofKey([scope])] as [string, () => Promise<WalkCaller>]),
  ])(
    'and the reasons of failures are in no answer to %s, on any root field',
    async (_name, credential) => {
      expect([...(await callsThatShow([...markers, clinicalReason], await credential()))]).toEqual([]);
    },
    60_000,
  );
});

describe('a simulation with a patient', () => {
  const simulate = (token: string, patientId: string) =>
    system.post(
      `{ simulateRisk(input: { modelId: "${modelId}", patientId: "${patientId}" }) { inputs { code value } } }`,
      undefined,
      token,
    );

  // Shows: 164.312(a)(1), owasp/authorization
  test('needs the right to read patients, also for an id that does not exist', async () => {
    for (const token of [await system.token(Role.SERVICE), await apiKey(['risk:simulate'])]) {
      for (const id of [closed.id, 'aaaaaaaaaaaaaaaaaaaaaaaa'])
        expect(codesOf(await simulate(token, id))).toEqual(['FORBIDDEN']);
    }
    const last = await models.auditEvents.findOne({ outcome: 'DENIED' }).sort({ _id: -1 }).lean<AuditEvent>();
    expect(last).toMatchObject({ action: 'patient:read', outcome: 'DENIED' });
  });

  test('needs no such right without a patient', async () => {
    const answer = await system.post(
      `query ($features: [FeatureValueInput!]) {
        simulateRisk(input: { modelId: "${modelId}", features: $features }) { probability }
      }`,
      { features: newPatient().features },
      await apiKey(['risk:simulate']),
    );
    expect(codesOf(answer)).toEqual([]);
  });

  // Shows: 164.312(b)
  test('is recorded as a reading of the patient, and flagged under a grant', async () => {
    const eve = await clinician('eve');
    await careTeams(system).breakGlass(`patientId: "${closed.id}"`, eve);
    expect(codesOf(await simulate(eve, closed.id))).toEqual([]);
    expect((await eventsOf(closed.id, 'eve')).at(-1)).toMatchObject({
      action: 'risk:simulate',
      outcome: 'ALLOWED',
      flagged: true,
    });
  });
});

describe('a filter by a property that the caller may not read', () => {
  // Shows: owasp/authorization
  test.each<[string, string, () => Promise<string>]>([
    [
      'sex, for a batch',
      `mutation { submitBatchScoringJob(input: { modelId: "${modelId}", filter: { sex: FEMALE } }) { id } }`,
      () => apiKey(apiKeyScopes),
    ],
    [
      'the patient of a job, for a list',
      '{ scoringJobs(filter: { patientId: "aaaaaaaaaaaaaaaaaaaaaaaa" }) { totalCount } }',
      () => apiKey(['job:read']),
    ],
    [
      'the patient of a job, for ADMIN',
      '{ scoringJobs(filter: { patientId: "aaaaaaaaaaaaaaaaaaaaaaaa" }) { totalCount } }',
      () => system.token(Role.ADMIN),
    ],
  ])('is FORBIDDEN: %s', async (_name, operation, credential) => {
    expect(codesOf(await system.post(operation, undefined, await credential()))).toEqual(['FORBIDDEN']);
  });
});
