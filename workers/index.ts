import type { App } from '../src/app.js';
import { createChunkRunner } from '../src/jobs/chunk-runner.js';
import { createRunningJobs } from '../src/jobs/running-jobs.js';
import { startMaintenance } from './maintenance.js';
import { createEntryProcessor } from './process-entry.js';
import { startQueueWorker } from './queue-worker.js';

/** A worker process at work. */
export interface Workers {
  /** Lets running work end, then stops. */
  close(): Promise<void>;
}

/** Starts everything a worker process does. */
export async function startWorkers(app: App): Promise<Workers> {
  const { config, logger } = app;
  const runningJobs = createRunningJobs(app.events);
  const chunkRunner = createChunkRunner({ ...app, attempts: config.jobAttempts, leaseMs: config.jobLeaseMs });
  const process = createEntryProcessor({ ...app, runningJobs, chunkRunner, attempts: config.jobAttempts, leaseMs: config.jobLeaseMs });
  const queueWorkers = [
    startQueueWorker(app, 'single', config.workerConcurrency, process),
    startQueueWorker(app, 'chunk', config.workerBatchConcurrency, process),
  ];
  const maintenance = await startMaintenance(app);
  logger.info(
    { concurrency: config.workerConcurrency, models: app.registry.list().map(({ manifest }) => `${manifest.id}@${manifest.version}`) },
    'worker started',
  );

  return {
    async close() {
      await Promise.all(queueWorkers.map((worker) => worker.close()));
      await chunkRunner.close();
      await maintenance.close();
      runningJobs.close();
    },
  };
}
