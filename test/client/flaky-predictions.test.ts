import { expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { PredictionCreatedDocument } from '../../src/client/generated/graphql.js';
import { createClient, type ClientOptions } from '../../src/client/graphql-client.js';
import { seedPatients } from '../../src/commands/seed.js';
import { startServerProcess } from '../../src/commands/server-process.js';
import type { Engine } from '../../src/embedded/engine.js';
import { startApiProcess } from '../support/api-process.js';
import { startFlakyProxy } from '../support/flaky-proxy.js';
import { followersAt, storedIds } from '../support/prediction-stream.js';
import { ended, submit } from '../support/scenario.js';
import { settingsFor, startSystem, type System } from '../support/system.js';

/** A system without a worker of its own, and with patients. */
async function systemWith(patients: number): Promise<System> {
  const system = await startSystem({
    worker: false,
    environment: { RECONCILE_INTERVAL_MS: '200', BATCH_CHUNK_SIZE: '20' },
  });
  await seedPatients(system.app.config, system.app.models, { count: patients, seed: 1, organization: 'alpha' });
  return system;
}

/** Starts a worker in a process of its own, which ends with the test. */
async function startWorker(system: System): Promise<Engine> {
  const worker = await startServerProcess('worker', {
    ...settingsFor(system.app.config),
    RECONCILE_INTERVAL_MS: '200',
    BATCH_CHUNK_SIZE: '20',
  });
  onTestFinished(() => worker.stop());
  return worker;
}

/** Follows all predictions through a client of its own, until the test ends. @returns the ids so far */
async function follow(system: System, options: Partial<ClientOptions> & { readonly url: string }): Promise<string[]> {
  const client = createClient({ webSocket: WebSocket, token: await system.token('CLINICIAN'), ...options });
  const events = client.subscribe(PredictionCreatedDocument, {});
  const ids: string[] = [];
  const following = (async () => {
    for await (const { predictionCreated } of events) ids.push(predictionCreated.id);
  })();
  onTestFinished(async () => {
    await events.return!();
    await following;
    await client.close();
  });
  return ids;
}

/** Scores patients one by one and in a batch. Resolves at the end of all jobs. */
async function scoreAll(system: System, singles: number): Promise<void> {
  const client = await system.client('CLINICIAN');
  const some = await system.app.models.patients.find({}, { _id: 1 }).limit(singles).lean();
  const batch = submit(client, { all: true });
  const jobs = some.map(({ _id }) => submit(client, { patientId: _id.toHexString() }));
  for (const { id } of await Promise.all([batch, ...jobs])) await ended(client, id);
}

async function expectEach(system: System, ids: readonly string[]): Promise<void> {
  const stored = (await storedIds(system)).sort();
  await expect.poll(() => ids.length, { timeout: 60_000 }).toBeGreaterThanOrEqual(stored.length);
  expect([...ids].sort()).toEqual(stored);
}

test.each([
  ['a WebSocket', {}],
  ['server-sent events', { webSocket: false }],
])(
  'over %s that is cut again and again, no new prediction is missing, and none comes twice',
  async (_name, options) => {
    const system = await systemWith(40);
    const network = await startFlakyProxy(system.url, { seed: 11, fates: ['cut', 'reset'], bytes: [600, 40_000] });
    const breaks: Error[] = [];
    const ids = await follow(system, { url: network.url, ...options, onBreak: (error) => breaks.push(error) });
    await expect.poll(() => followersAt(system.url)).toBe(1);
    await startWorker(system);
    await scoreAll(system, 20);
    await expectEach(system, ids);
    expect(ids).toHaveLength(60);
    expect(network.broken).toBeGreaterThan(5);
  },
  240_000,
);

test('while workers are killed in the middle, no new prediction is missing, and none comes twice', async () => {
  const system = await systemWith(200);
  const ids = await follow(system, { url: system.url });
  await expect.poll(() => followersAt(system.url)).toBe(1);
  const [first, second] = await Promise.all([startWorker(system), startWorker(system)]);
  const scoring = scoreAll(system, 50);
  await expect.poll(() => ids.length, { interval: 5 }).toBeGreaterThan(10);
  process.kill(first.pid, 'SIGKILL');
  await first.exited;
  await startWorker(system);
  process.kill(second.pid, 'SIGKILL');
  await second.exited;
  await scoring;
  await expectEach(system, ids);
  expect(ids).toHaveLength(250);
}, 240_000);

test('over an API that is killed and started again, no new prediction is missing, and none comes twice', async () => {
  const system = await systemWith(100);
  const { mongoUri, redisUrl, redisPrefix } = system.app.config;
  const databases = { MONGO_URI: mongoUri!, REDIS_URL: redisUrl!, REDIS_PREFIX: redisPrefix };
  const api = await startApiProcess({ environment: databases });
  const ids = await follow(system, { url: api.url });
  // It is killed before the first event, too.
  await expect.poll(() => followersAt(api.url)).toBe(1);
  process.kill(api.pid, 'SIGKILL');
  await startWorker(system);
  const scoring = scoreAll(system, 20);
  const again = await startApiProcess({ environment: { ...databases, PORT: new URL(api.url).port } });
  await expect.poll(() => ids.length, { interval: 5 }).toBeGreaterThan(10);
  process.kill(again.pid, 'SIGKILL');
  await startApiProcess({ environment: { ...databases, PORT: new URL(api.url).port } });
  await scoring;
  await expectEach(system, ids);
  expect(ids).toHaveLength(120);
}, 240_000);
