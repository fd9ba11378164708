import { Types } from 'mongoose';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createAuditTrail } from '../../src/audit/audit-writer.js';
import { whenReady } from '../../src/storage/redis.js';
import { createTurns, noTurns, type Turns } from '../../src/storage/turns.js';
import { startSystem } from '../support/system.js';

const { app } = await startSystem({ worker: false });
const { models, logger } = app;

/** The turns of another process. */
async function newTurns(): Promise<Turns> {
  const redis = app.connectRedis('dispensable');
  onTestFinished(() => redis.disconnect());
  await whenReady(redis);
  return createTurns(redis, app.config.redisPrefix);
}

test('one process has a turn at a time, and the next one follows at its end', async () => {
  const [here, there] = [await newTurns(), await newTurns()];
  const order: string[] = [];
  const end = await here.take('one');
  const waiting = there.take('one').then((endThere) => {
    order.push('there begins');
    endThere();
  });
  const endOther = await there.take('other');
  endOther();
  order.push('here ends');
  end();
  await waiting;
  expect(order).toEqual(['here ends', 'there begins']);
});

test('the turn of a process that died does not hold up the others', async () => {
  const [dead, alive] = [await newTurns(), await newTurns()];
  await dead.take('one');
  const end = await alive.take('one');
  end();
});

test('without Redis there are no turns, and nobody waits for one', async () => {
  const redis = app.connectRedis('dispensable');
  redis.disconnect();
  const turns = createTurns(redis, app.config.redisPrefix);
  const [first, second] = [await turns.take('any'), await turns.take('any')];
  first();
  second();
});

/** Two processes append to one chain, one event after the other. @returns the tries that were refused */
async function refusedTries(both: readonly Turns[]): Promise<number> {
  const events = 100;
  const organizationId = new Types.ObjectId().toHexString();
  const actor = { username: 'someone', organizationId, origin: { requestId: 'r', address: '127.0.0.1' } };
  const inserts = vi.spyOn(models.auditEvents.collection, 'insertMany');
  onTestFinished(() => void inserts.mockRestore());
  const trails = both.map((turns) =>
    createAuditTrail({ models, keyOf: () => Promise.resolve(Buffer.alloc(32)), turns, logger }),
  );
  await Promise.all(
    trails.map(async (trail) => {
      for (let event = 0; event < events; event += 1)
        await trail.record(actor, { action: 'patient:read', outcome: 'ALLOWED' });
    }),
  );
  await Promise.all(trails.map((trail) => trail.close()));
  return inserts.mock.calls.length - 2 * events;
}

test('processes that take turns at a chain do not try in vain', async () => {
  expect(await refusedTries([await newTurns(), await newTurns()])).toBeLessThan(10);
  expect(await refusedTries([noTurns, noTurns])).toBeGreaterThan(20);
});
