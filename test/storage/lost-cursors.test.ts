/** Covers `isDatabaseOutage` and `isDriverError` of src/storage/database.ts. */
import { expect, onTestFinished, test } from 'vitest';
import { failureLine } from '../../src/commands/failure.js';
import { startEngines } from '../../src/embedded/engines.js';
import { connectDatabase, isDatabaseOutage } from '../../src/storage/database.js';
import { atEnd } from '../support/at-end.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** A read of several batches of which the first has come, and what stops and starts its MongoDB. */
async function halfRead() {
  const options = { dataDirectory: await temporaryDirectory(), redisUrl: 'redis://unused' };
  let engines = await startEngines(options);
  atEnd(() => engines.stop());
  const database = await connectDatabase(engines.mongoUri);
  atEnd(() => database.close());
  const things = database.collection('things');
  await things.insertMany(Array.from({ length: 10 }, (_, number) => ({ number })));
  const cursor = things.find({}, { batchSize: 2 });
  await cursor.next();
  await cursor.next();
  return {
    cursor,
    pid: engines.pids().mongodb!,
    async startAgain() {
      await engines.stop();
      engines = await startEngines(options);
      await expect.poll(() => things.countDocuments().catch(() => 0)).toBe(10);
    },
  };
}

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

test('a read whose MongoDB was started again meanwhile is an outage', async () => {
  const { cursor, startAgain } = await halfRead();
  await startAgain();
  const failure = await failureOf(cursor.next());
  expect(failure).toMatchObject({ code: 43 });
  expect(isDatabaseOutage(failure)).toBe(true);
});

test('a read whose MongoDB stands still is an outage', async () => {
  const { cursor, pid } = await halfRead();
  process.kill(pid, 'SIGSTOP');
  onTestFinished(() => void process.kill(pid, 'SIGCONT'));
  const failure = await failureOf(cursor.next());
  expect(failure).toMatchObject({ name: 'PoolClearedOnNetworkError' });
  expect(isDatabaseOutage(failure)).toBe(true);
  expect(failureLine(failure)).toMatch(/^MongoDB broke off the connection/);
});
