import { Types } from 'mongoose';
import { expect, onTestFinished, test } from 'vitest';
import { createModels } from '../../models/index.js';
import type { AuditActor } from '../../src/audit/audit-trail.js';
import { auditKeys, createAuditTrail, type AuditKeyOf } from '../../src/audit/audit-writer.js';
import { connectDatabase } from '../../src/storage/database.js';
import { holdingProxy } from '../support/holding-proxy.js';
import { startSystem } from '../support/system.js';

const system = await startSystem({ worker: false });
const { config, logger, models, protectionOf } = system.app;
const keyOf = auditKeys(protectionOf);
const read = { action: 'patient:read', outcome: 'ALLOWED' } as const;

async function actorOf(slug: string): Promise<AuditActor> {
  const organizationId = await system.organizationId(slug);
  return { username: 'someone', organizationId, origin: { requestId: 'r', address: '127.0.0.1' } };
}

test('an end is unsealed as long as the write of its head hangs', async () => {
  const proxy = await holdingProxy(config.mongoUri!);
  onTestFinished(() => proxy.close());
  const database = await connectDatabase(proxy.url);
  onTestFinished(() => database.close());
  const trail = createAuditTrail({ models: createModels(database), keyOf, logger });
  onTestFinished(() => trail.close());
  const actor = await actorOf('hanging');

  const held = proxy.hold('update', models.auditHeads.collection.collectionName);
  await trail.record(actor, read);
  await held;
  expect(trail.backlog().unsealedSeconds).toBeGreaterThan(0);
  // Later events do not make the end look younger.
  await trail.record(actor, read);
  const before = trail.backlog().unsealedSeconds;
  await trail.record(actor, read);
  expect(trail.backlog().unsealedSeconds).toBeGreaterThan(before);

  proxy.release();
  await expect.poll(() => trail.backlog().unsealedSeconds).toBe(0);
});

test('a chain whose head cannot be sealed does not keep the others from being sealed', async () => {
  const actors = [await actorOf('without-key'), await actorOf('with-key')];
  const unreadable = new Set<string>();
  const keyUnlessUnreadable: AuditKeyOf = async (organization) => {
    if (unreadable.has(organization.toHexString())) throw new Error('the data key cannot be read');
    return keyOf(organization);
  };
  const trail = createAuditTrail({ models, keyOf: keyUnlessUnreadable, logger });
  for (const actor of actors) await trail.record(actor, read);
  unreadable.add(actors[0]!.organizationId);
  await trail.record(actors[1]!, read);
  await trail.close();
  const head = await models.auditHeads.findById(new Types.ObjectId(actors[1]!.organizationId)).lean();
  expect(head?.sequence).toBe(2);
});
