import { expect, test } from 'vitest';
import { seedPatients } from '../../src/commands/seed.js';
import { startWorkers } from '../../workers/index.js';
import { ended, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

// The worker has one slot for single jobs and one for chunks. The batch has a hundred chunks.
const system = await startSystem({
  worker: false,
  environment: {
    WORKER_CONCURRENCY: '1',
    WORKER_BATCH_CONCURRENCY: '1',
    BATCH_CHUNK_SIZE: '20',
    RECONCILE_INTERVAL_MS: '200',
  },
});
const { config, models } = system.app;
await seedPatients(config, models, { count: 2_000, seed: 1, organization: 'alpha' });
const token = await system.token('CLINICIAN');
const client = await system.client('CLINICIAN');
const patientId = (await models.patients.findOne({}, { _id: 1 }).orFail().lean())._id.toHexString();

interface Times {
  readonly startedAt: string;
  readonly finishedAt: string | null;
}
async function timesOf(id: string): Promise<Times> {
  return (
    await system.post<{ scoringJob: Times }>(`{ scoringJob(id: "${id}") { startedAt finishedAt } }`, undefined, token)
  ).data!.scoringJob;
}

test('single jobs overtake a batch, and overtake each other by their priority', async () => {
  const batch = await submit(client, { all: true, priority: 0 });
  const low = await submit(client, { patientId, priority: 10 });
  const usual = await submit(client, { patientId });
  const high = await submit(client, { patientId, priority: 0 });
  const workers = await startWorkers(system.app);
  try {
    await ended(client, batch.id);
  } finally {
    await workers.close();
  }
  const [batchTimes, ...times] = await Promise.all([batch, high, usual, low].map(({ id }) => timesOf(id)));
  for (const { finishedAt } of times) expect(Date.parse(finishedAt!)).toBeLessThan(Date.parse(batchTimes!.finishedAt!));
  const starts = times.map(({ startedAt }) => Date.parse(startedAt));
  expect(starts).toEqual([...starts].sort((one, other) => one - other));
});
