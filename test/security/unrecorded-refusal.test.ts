/** Covers src/http/denials.ts, src/audit/audit-trail.ts. */
// Threat: a caller tries a forbidden operation, and the audit trail lacks the attempt.

import { describe, expect, test } from 'vitest';
import { Role } from '../../models/index.js';
import { patientsOf, startAuditedSystem } from '../support/audited-system.js';
import { newPatient } from '../support/heart-disease.js';
import { connectSocket } from '../support/raw-socket.js';
import { patient } from '../support/scenario.js';

const { system, clinician, organization, known, eventsOf } = await startAuditedSystem();

describe('refusals are recorded once per action and operation', () => {
  // Shows: 164.312(b)
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
  ])('with the patient that it was about: %s, %s', async (action, _name, operation) => {
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

  // Shows: 164.312(b)
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
