/** Covers src/audit/audit-trail.ts, src/audit/audit-writer.ts. */
// Threat: an attacker or a fault keeps the audit trail from being written, and reads go on unrecorded.

import { describe, expect, onTestFinished, test } from 'vitest';
import { accesses, startAuditedSystem } from '../support/audited-system.js';
import { connectSocket } from '../support/raw-socket.js';
import { codesOf } from '../support/system.js';

const { system, token, organization, known } = await startAuditedSystem();
const { models } = system.app;

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
