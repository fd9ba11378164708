/** Covers src/audit/audit-trail.ts, src/audit/audit-writer.ts. */
// Threat: an attacker or an outage prevents writes to the audit trail, and reads continue without a record.

import { describe, expect, onTestFinished, test } from 'vitest';
import { accesses, startAuditedSystem } from '../support/audited-system.js';
import { connectSocket } from '../support/raw-socket.js';
import { codesOf } from '../support/system.js';

const { system, token, organization, known } = await startAuditedSystem();
const { models } = system.app;

describe('while the audit trail cannot be written', () => {
  /** Makes the database itself refuse events until the end of the test. */
  async function refuseEvents(): Promise<void> {
    const { collection } = models.auditEvents;
    const last = await models.auditEvents.countDocuments({ organization });
    // A geographic index refuses every event that it covers: an address is not a place on earth.
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
