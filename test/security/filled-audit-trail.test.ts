/** Covers src/audit/merge-events.ts. */
// Threat: one reader fills the audit trail, by requests that read the same patients, or are refused, many times.

import { expect, test } from 'vitest';
import { startAuditedSystem } from '../support/audited-system.js';
import { patient, scored } from '../support/scenario.js';

const { system, clinician, token, eventsOf } = await startAuditedSystem();
const times = 9;
const aliases = (field: string): string =>
  `{ ${Array.from({ length: times }, (_unused, number) => `a${number}: ${field}`).join(' ')} }`;

// Shows: 164.312(b)
test('one request records each patient once per action, however often it reads the patient', async () => {
  for (let number = 0; number < 5; number += 1) await scored(clinician);
  const list = 'patients(first: 50) { edges { node { predictions(first: 3) { edges { node { probability } } } } } }';
  const events = await eventsOf(() => system.post(aliases(list), {}, token));
  for (const action of ['patient:read', 'prediction:read']) {
    const patients = events.filter((event) => event.action === action).flatMap((event) => event.patients.map(String));
    expect(patients.length).toBeGreaterThanOrEqual(5);
    expect(new Set(patients).size).toBe(patients.length);
  }
});

// Shows: 164.312(b)
test('another request for the same patient is recorded again', async () => {
  const { id } = await patient(clinician);
  for (let request = 0; request < 2; request += 1) {
    const events = await eventsOf(() => system.post(`{ patient(id: "${id}") { sex } }`, {}, token));
    expect(events.flatMap(({ patients }) => patients.map(String))).toEqual([id]);
  }
});

// Shows: 164.312(b)
test('equal refusals of one request are counted, and no refusal is lost', async () => {
  const closed = await scored(clinician);
  await system.app.models.patients.updateOne({ _id: closed.patientId }, { $set: { careTeam: ['other'] } });
  const events = await eventsOf(() =>
    system.post(aliases(`prediction(id: "${closed.predictionId}") { probability }`), {}, token),
  );
  const refusals = events.filter(({ outcome }) => outcome === 'DENIED');
  expect(refusals.map(({ count = 1 }) => count).reduce((sum, count) => sum + count, 0)).toBe(times);
  expect(refusals.length).toBeLessThan(times);
  for (const { patients } of refusals) expect(patients.map(String)).toEqual([closed.patientId]);
  const shown = await system.post<{ auditEvents: { edges: { node: { count: number } }[] } }>(
    '{ auditEvents(first: 1, filter: { outcomes: [DENIED] }) { edges { node { count } } } }',
    {},
    await system.token('ADMIN'),
  );
  expect(shown.data!.auditEvents.edges[0]!.node.count).toBe(refusals.at(-1)!.count ?? 1);
});
