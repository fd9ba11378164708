import { shippedModelsDirectory, type App } from '../src/app.js';
import { createChunkRunner } from '../src/scoring/chunk-runner.js';
import { createRowScorers } from '../src/scoring/score-patient.js';
import { createRunningJobs } from '../src/scoring/running-jobs.js';
import { createScoringEngine, startScoringThread } from '../src/scoring/scoring-engine.js';
import { startMaintenance } from './maintenance.js';
import { createEntryProcessor } from './process-entry.js';
import { startQueueWorker } from './queue-worker.js';

/** A worker process at work. */
interface Workers {
  /** Lets running work end, then stops. */
  close(): Promise<void>;
}

/** Starts everything a worker process does. */
export async function startWorkers(app: App): Promise<Workers> {
  const { config, logger } = app;
  const runningJobs = createRunningJobs(app.events);
  const engine = createScoringEngine(
    config.workerScoringThreads,
    () => startScoringThread(config.riskModelsDirectory ?? shippedModelsDirectory()),
    logger,
  );
  const chunkRunner = createChunkRunner({ ...app, engine, attempts: config.jobAttempts, leaseMs: config.jobLeaseMs });
  const process = createEntryProcessor({
    ...app,
    scorerOf: createRowScorers(),
    runningJobs,
    chunkRunner,
    attempts: config.jobAttempts,
    leaseMs: config.jobLeaseMs,
  });
  const queueWorkers = [
    startQueueWorker(app, 'single', config.workerConcurrency, process),
    startQueueWorker(app, 'chunk', config.workerBatchConcurrency, process),
  ];
  const maintenance = await startMaintenance(app);
  logger.info(
    {
      concurrency: config.workerConcurrency,
      models: app.registry.list().map(({ manifest }) => `${manifest.id}@${manifest.version}`),
    },
    'worker started',
  );

  return {
    async close() {
      await Promise.all(queueWorkers.map((worker) => worker.close()));
      await chunkRunner.close();
      await engine.close();
      await maintenance.close();
      runningJobs.close();
    },
  };
}
