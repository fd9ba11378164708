import { Types } from 'mongoose';
import { expect, test } from 'vitest';
import type { AuditEvent } from '../../models/index.js';
import {
  chainEvent,
  emptyChain,
  examineChain,
  sealArchived,
  sealHead,
  type ChainEnd,
} from '../../src/audit/audit-chain.js';
import { auditKeys } from '../../src/audit/audit-writer.js';
import { verifyChainPart, type ChainPart } from '../../src/audit/verify-chain-part.js';
import { verifyChains } from '../../src/audit/verify-chains.js';
import { codesOf, startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const { models, protectionOf } = system.app;
const keyOf = auditKeys(protectionOf);
const count = 5_010;

/** Writes a whole chain, with its head. */
async function writeChain(slug: string): Promise<Types.ObjectId> {
  const organization = new Types.ObjectId(await system.organizationId(slug));
  const key = await keyOf(organization);
  const events: AuditEvent[] = [];
  let end: ChainEnd = emptyChain;
  for (let index = 0; index < count; index += 1) {
    const event = {
      _id: new Types.ObjectId(),
      organization,
      occurredAt: new Date(),
      username: 'anna',
      address: '127.0.0.1',
      requestId: 'r',
      action: 'patient:read',
      outcome: 'ALLOWED',
      patients: [],
      flagged: false,
    };
    events.push(chainEvent(event as never, end, key));
    end = events.at(-1)!;
  }
  await models.auditEvents.collection.insertMany(events as never[]);
  await models.auditHeads.collection.insertOne(sealHead(organization, end, key) as never);
  return organization;
}

/** Examines part after part, as a page does. */
async function parts(organization: Types.ObjectId): Promise<ChainPart[]> {
  const made: ChainPart[] = [];
  do made.push(await verifyChainPart(models, { organization, keyOf, after: made.at(-1)?.through ?? 0 }));
  while (!made.at(-1)!.isComplete);
  return made;
}

test('a chain is examined in parts of a bounded size, and each way to change it is found', async () => {
  const organization = await writeChain('long');
  const { collection } = models.auditEvents;
  const at = (sequence: number) => ({ organization, sequence });
  const failures = async (): Promise<readonly unknown[]> =>
    (await parts(organization)).flatMap((part) => part.failures);
  expect(await parts(organization)).toEqual([
    { events: 5_000, through: 5_000, end: count, isComplete: false, archivedThrough: 0, failures: [] },
    { events: 10, through: count, end: count, isComplete: true, archivedThrough: 0, failures: [] },
  ]);

  await collection.updateOne(at(5_000), { $set: { username: 'berta' } });
  expect(await failures()).toEqual([{ sequence: 5_000, reason: 'was changed after it was written' }]);
  await collection.updateOne(at(5_000), { $set: { username: 'anna' } });

  const gone = (await collection.findOneAndDelete(at(5_001)))!;
  expect(await failures()).toEqual([{ sequence: 5_002, reason: '1 events before it are missing' }]);
  await collection.insertOne(gone);

  const head = (await models.auditHeads.findById(organization).lean())!;
  const short = sealHead(organization, { sequence: 5_000, hash: 'f'.repeat(64) }, await keyOf(organization));
  await models.auditHeads.collection.replaceOne({ _id: organization }, short as never);
  const last = await collection.find({ organization, sequence: { $gt: 5_000 } }).toArray();
  const otherEvent = { sequence: 5_000, reason: 'is not the event that was noted here' };
  expect(await failures()).toEqual([otherEvent]);
  await collection.deleteMany({ organization, sequence: { $gt: 5_000 } });
  expect(await failures()).toEqual([otherEvent]);
  await collection.insertMany(last);
  await models.auditHeads.collection.replaceOne({ _id: organization }, head as never);
  expect(await failures()).toEqual([]);

  await collection.deleteMany({ organization, sequence: { $gt: 3_000 } });
  expect(await failures()).toEqual([
    { sequence: count, reason: 'the chain ends at 3000: 2010 events are missing from its end' },
  ]);
});

test('events that are archived while they are read are no sign of a change', async () => {
  const organization = await writeChain('archived');
  const { auditEvents, auditHeads } = models;
  const before = await auditHeads.findById(organization).lean();
  const { hash } = (await auditEvents.findOne({ organization, sequence: 100 }).lean())!;
  const end = { sequence: 100, hash: hash! };
  const archived = { ...end, seal: sealArchived(organization, end, await keyOf(organization)) };
  await auditHeads.collection.updateOne({ _id: organization }, { $set: { archived } });
  await auditEvents.collection.deleteMany({ organization, sequence: { $lte: 100 } });
  for (const after of [0, 50]) {
    // The head is read before the archiving, and all else after it.
    let reads = 0;
    const findById = (id: Types.ObjectId) =>
      (reads += 1) === 1 ? { lean: async () => before } : auditHeads.findById(id);
    const part = await verifyChainPart(
      { auditEvents, auditHeads: { findById } as never },
      { organization, keyOf, after },
    );
    expect(part).toMatchObject({ archivedThrough: 100, through: count, failures: [] });
  }
  let reads = 0;
  const findById = (id: Types.ObjectId) =>
    (reads += 1) === 1 ? { lean: async () => before } : auditHeads.findById(id);
  const reports = verifyChains({ ...models, auditHeads: { findById } as never }, keyOf, { slug: 'archived' });
  const made = [];
  for await (const report of reports) made.push(report);
  expect(made).toMatchObject([{ after: end, events: count - 100, failures: [] }]);

  // Other work of the process has its turn meanwhile.
  const events = await auditEvents.find({ organization }).sort({ sequence: 1 }).lean<AuditEvent[]>();
  let turns = 0;
  const take = (): NodeJS.Immediate => setImmediate(() => ((turns += 1), (next = take())));
  let next = take();
  await examineChain(events, await keyOf(organization), { after: end });
  clearImmediate(next);
  expect(turns).toBeGreaterThan(5);
});

test('a part begins behind an event of the own organization alone, and each call is on record', async () => {
  const token = await system.token('ADMIN', 'short');
  const query = 'query ($after: Int) { auditChain(after: $after) { events through isComplete failures { reason } } }';
  // The calls write the events that they examine.
  for (const events of [1, 2])
    expect((await system.post(query, {}, token)).data).toEqual({
      auditChain: { events, through: events, isComplete: true, failures: [] },
    });
  expect(codesOf(await system.post(query, { after: 4_000 }, token))).toEqual(['BAD_USER_INPUT']);
  expect(codesOf(await system.post(query, { after: -1 }, token))).toEqual([]);
});
