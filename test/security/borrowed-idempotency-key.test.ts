/** Covers src/jobs/idempotency.ts. */
// Threat: a caller uses the idempotency key of a colleague, and gets the colleague's job, or stops the colleague's request.

import { expect, test } from 'vitest';
import { careTeams } from '../support/care-team.js';
import { modelId, newPatient } from '../support/heart-disease.js';
import { createApiKey } from '../support/identity.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const { clinician } = careTeams(system);
const [ada, bob] = await Promise.all([clinician('ada'), clinician('bob')]);

async function patient(): Promise<string> {
  const { data } = await system.post<{ createPatient: { id: string } }>(
    'mutation ($input: CreatePatientInput!) { createPatient(input: $input) { id } }',
    { input: newPatient() },
    ada,
  );
  return data!.createPatient.id;
}

async function submitted(token: string, idempotencyKey: string, work: object): Promise<string> {
  const batch = !('patientId' in work);
  const [field, type] = batch
    ? ['submitBatchScoringJob', 'SubmitBatchScoringJobInput']
    : ['submitScoringJob', 'SubmitScoringJobInput'];
  const { data, errors } = await system.post<Record<string, { id: string }>>(
    `mutation ($input: ${type}!) { ${field}(input: $input) { id } }`,
    { input: { modelId, idempotencyKey, ...work } },
    token,
  );
  if (!data) throw new Error(JSON.stringify(errors));
  return data[field]!.id;
}

// Shows: owasp/idor
test.each<[string, (patientId: string) => object]>([
  ['one patient', (patientId) => ({ patientId })],
  ['a batch', (patientId) => ({ patientIds: [patientId] })],
])(
  'an idempotency key belongs to its user or API key: the same key of another is another job of %s',
  async (kind, work) => {
    const request = work(await patient());
    const key = (name: string): Promise<string> => createApiKey(system, ['job:submit'], name);
    const callers = [ada, bob, await key('one'), await key('two')];
    const jobs = await Promise.all(callers.map((token) => submitted(token, `visit for ${kind}`, request)));
    expect(new Set(jobs).size).toBe(4);
    expect(await Promise.all(callers.map((token) => submitted(token, `visit for ${kind}`, request)))).toEqual(jobs);
  },
);

// Shows: owasp/idor
test("a colleague's key is no CONFLICT for another request", async () => {
  const [first, second] = [await patient(), await patient()];
  await submitted(ada, 'visit-2', { patientId: first });
  await submitted(bob, 'visit-2', { patientId: second });
  await submitted(bob, 'visit-3', { all: true });
  await expect(submitted(ada, 'visit-2', { patientId: second })).rejects.toThrow('CONFLICT');
});
