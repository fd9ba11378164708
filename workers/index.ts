import { Worker } from 'bullmq';
import type { App } from '../src/app.js';
import { createChunkRunner } from '../src/jobs/chunk-runner.js';
import { createRunningJobs } from '../src/jobs/running-jobs.js';
import { scoringQueueName } from '../src/jobs/scoring-queue.js';
import { startMaintenance } from './maintenance.js';
import { createEntryProcessor } from './process-entry.js';

/** A worker that died is noticed after this long, and its work taken over. Milliseconds. */
const lockMs = 5_000;
const stalledCheckMs = 2_500;
/** Takeovers are counted and bounded in MongoDB, where the job's submitter can see them; the queue itself never gives up first. */
const unlimitedTakeovers = 1_000;

/** A worker process at work. */
export interface Workers {
  /** Lets running work end, then stops. */
  close(): Promise<void>;
}

/** Starts everything a worker process does. */
export async function startWorkers(app: App): Promise<Workers> {
  const { config, logger } = app;
  const runningJobs = createRunningJobs(app.events);
  const chunkRunner = createChunkRunner({ ...app, attempts: config.jobAttempts });
  const process = createEntryProcessor({ ...app, runningJobs, chunkRunner, attempts: config.jobAttempts, leaseMs: config.jobLeaseMs });
  const connection = app.connectRedis('waiting');
  const worker = new Worker(scoringQueueName, (job) => process(job.data), {
    connection,
    prefix: config.redisPrefix,
    concurrency: config.workerConcurrency,
    lockDuration: lockMs,
    stalledInterval: stalledCheckMs,
    maxStalledCount: unlimitedTakeovers,
  });
  worker.on('error', (error) => logger.warn({ reason: error.message }, 'scoring worker'));
  const maintenance = await startMaintenance(app);
  logger.info({ concurrency: config.workerConcurrency, models: app.registry.list().map(({ manifest }) => `${manifest.id}@${manifest.version}`) }, 'worker started');

  return {
    async close() {
      await worker.close();
      await chunkRunner.close();
      await maintenance.close();
      runningJobs.close();
      connection.disconnect();
    },
  };
}
