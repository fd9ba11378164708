import { expect, test } from 'vitest';
import { startQueueWorker } from '../../workers/queue-worker.js';
import { atEnd } from '../support/at-end.js';
import { patient, submit } from '../support/scenario.js';
import { startSystem } from '../support/system.js';

const { app, client } = await startSystem({ worker: false, environment: { JOB_RETRY_DELAY_MS: '10' } });

test('a worker is told when an entry was delivered before', async () => {
  const clinician = await client('CLINICIAN');
  const { id } = await submit(clinician, { patientId: (await patient(clinician)).id });
  const deliveries: boolean[] = [];
  const worker = await startQueueWorker({
    kind: 'single',
    concurrency: 1,
    leaseMs: 10_000,
    async process(data, isRepeated) {
      expect(data).toMatchObject({ scoringJobId: id });
      deliveries.push(isRepeated);
      if (deliveries.length < 3) throw new Error('the attempt failed');
    },
    connectRedis: app.connectRedis,
    redisPrefix: app.config.redisPrefix,
    logger: app.logger,
  });
  atEnd(() => worker.close());
  await expect.poll(() => deliveries).toEqual([false, true, true]);
});
