/** Covers src/audit/audit-chain.ts, src/audit/verify-chains.ts. */
// Threat: an attacker who can write to the database changes or removes events of the audit trail.

import { Types } from 'mongoose';
import { expect, test } from 'vitest';
import type { AuditEvent } from '../../models/index.js';
import type { ChainEnd } from '../../src/audit/audit-chain.js';
import { auditKeys, createAuditTrail } from '../../src/audit/audit-writer.js';
import type { AuditActor } from '../../src/audit/audit-trail.js';
import { verifyChains, type OrganizationReport } from '../../src/audit/verify-chains.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const { models, logger } = system.app;
const keys = auditKeys((organization) => system.app.scopeOf({ organizationId: organization.toHexString() }).protection);
const collection = models.auditEvents.collection;
let organizations = 0;

/** An organization with a chain of `length` events, whose head is written. */
async function chainOf(length: number): Promise<{ slug: string; organization: Types.ObjectId }> {
  const slug = `chain-${(organizations += 1)}`;
  const organizationId = await system.organizationId(slug);
  const actor: AuditActor = { username: 'someone', organizationId, origin: { requestId: 'r', address: '127.0.0.1' } };
  const trail = createAuditTrail({ models, keyOf: keys, logger });
  for (let index = 0; index < length; index += 1)
    await trail.record(actor, {
      action: 'patient:read',
      outcome: 'ALLOWED',
      patientIds: [new Types.ObjectId().toHexString()],
    });
  await trail.close();
  return { slug, organization: new Types.ObjectId(organizationId) };
}

async function verify(slug: string, anchor?: ChainEnd): Promise<OrganizationReport> {
  const { value } = await verifyChains(models, keys, { slug, ...(anchor && { anchor }) }).next();
  return value as OrganizationReport;
}

const failuresOf = async (slug: string): Promise<string[]> =>
  (await verify(slug)).failures.map(({ sequence, reason }) => `${sequence}: ${reason}`);

test('an unchanged chain is verified', async () => {
  const { slug } = await chainOf(5);
  expect(await verify(slug)).toMatchObject({ events: 5, end: { sequence: 5 }, failures: [] });
});

// Shows: 164.312(b)
test.each<[string, object]>([
  ['who', { username: 'another-user' }],
  ['the role', { role: 'ADMIN' }],
  ['when', { occurredAt: new Date(0) }],
  ['from where', { address: '10.0.0.1' }],
  ['what', { action: 'model:read' }],
  ['which patient', { patients: [new Types.ObjectId()] }],
  ['no patient', { patients: [] }],
  ['the outcome', { outcome: 'DENIED' }],
  ['the request', { requestId: 'x' }],
  ['the subject', { subject: { kind: 'USER', id: 'x' } }],
  ['the flag', { flagged: true }],
])('an edit of %s is found', async (_what, edit) => {
  const { slug, organization } = await chainOf(3);
  await collection.updateOne({ organization, sequence: 2 }, { $set: edit });
  expect(await failuresOf(slug)).toEqual(['2: was changed after it was written']);
});

test('an edit with a new hash that was made without the key is found', async () => {
  const { slug, organization } = await chainOf(3);
  await collection.updateOne({ organization, sequence: 2 }, { $set: { username: 'x', hash: 'ab'.repeat(32) } });
  expect(await failuresOf(slug)).toEqual([
    '2: was changed after it was written',
    '3: does not follow from the event before it',
  ]);
});

// Shows: 164.312(b)
test('a missing event is found at the start, in the middle and at the end', async () => {
  for (const [sequence, reason] of [
    [1, '2: 1 events before it are missing'],
    [2, '3: 1 events before it are missing'],
    [3, '3: the chain ends at 2: 1 events are missing from its end'],
  ] as const) {
    const { slug, organization } = await chainOf(3);
    await collection.deleteOne({ organization, sequence });
    expect(await failuresOf(slug)).toEqual([reason]);
  }
});

test('events in a changed order are found', async () => {
  const { slug, organization } = await chainOf(3);
  await collection.updateOne({ organization, sequence: 1 }, { $set: { sequence: 9 } });
  await collection.updateOne({ organization, sequence: 2 }, { $set: { sequence: 1 } });
  await collection.updateOne({ organization, sequence: 9 }, { $set: { sequence: 2 } });
  expect(await failuresOf(slug)).not.toEqual([]);
});

test('an inserted event of another organization is found', async () => {
  const { slug, organization } = await chainOf(2);
  const other = await chainOf(3);
  const [, , third] = (await collection
    .find({ organization: other.organization })
    .sort({ sequence: 1 })
    .toArray()) as unknown as AuditEvent[];
  await collection.insertOne({ ...third, _id: new Types.ObjectId(), organization } as never);
  expect(await failuresOf(slug)).toEqual([
    '3: does not follow from the event before it',
    '3: was changed after it was written',
  ]);
});

// Shows: 164.312(b)
test('a removed end is found even if the head was set back, when the end was noted elsewhere', async () => {
  const { slug, organization } = await chainOf(3);
  const { end } = await verify(slug);
  await collection.deleteOne({ organization, sequence: 3 });
  await models.auditHeads.deleteOne({ _id: organization });
  expect((await verify(slug)).failures).toEqual([]);
  expect((await verify(slug, end)).failures).toEqual([
    { sequence: 3, reason: 'the chain ends at 2: 1 events are missing from its end' },
  ]);
});

test('an invented head is found', async () => {
  const { slug, organization } = await chainOf(3);
  const second = await collection.findOne({ organization, sequence: 2 });
  await collection.deleteOne({ organization, sequence: 3 });
  await models.auditHeads.updateOne({ _id: organization }, { $set: { sequence: 2, hash: second!.hash as string } });
  expect(await failuresOf(slug)).toEqual(['2: the head of the chain was changed']);
});

// Shows: 164.312(b)
test('many processes that append to one chain at once make one chain', async () => {
  const organizationId = await system.organizationId('crowded');
  const actor: AuditActor = { username: 'someone', organizationId, origin: { requestId: 'r', address: '127.0.0.1' } };
  const trails = Array.from({ length: 4 }, () => createAuditTrail({ models, keyOf: keys, logger }));
  await Promise.all(
    trails.flatMap((trail) =>
      Array.from({ length: 50 }, () => trail.record(actor, { action: 'patient:read', outcome: 'ALLOWED' })),
    ),
  );
  await Promise.all(trails.map((trail) => trail.close()));
  expect(await verify('crowded')).toMatchObject({ events: 200, end: { sequence: 200 }, failures: [] });
});
