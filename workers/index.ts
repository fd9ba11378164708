import type { App } from '../src/app.js';
import { closeTogether, startOrClose, type Closers } from '../src/closers.js';
import { entryKinds, type EntryKind } from '../src/jobs/scoring-queue.js';
import { logError } from '../src/process/logger.js';
import { createChunkRunner } from '../src/scoring/chunk-runner.js';
import { createRowScorers } from '../src/scoring/score-patient.js';
import { createRunningJobs } from '../src/scoring/running-jobs.js';
import { createScoringEngine, startScoringThread } from '../src/scoring/scoring-engine.js';
import { startBackups } from './backups.js';
import { startMaintenance, type MaintenanceParts } from './maintenance.js';
import { monitorWorker, type MonitoredParts } from '../src/monitoring/monitor.js';
import { createEntryProcessor, createEntryRunners } from './process-entry.js';
import { startQueueWorker, type QueueWorker } from './queue-worker.js';
import { startWebhooks, type WebhookParts } from './webhooks.js';
import { createWorkPulse, type WorkPulse } from './work-pulse.js';

/** A worker process at work. */
interface Workers {
  /** True when a piece of work takes far longer than any should: only a new process helps. */
  isStuck(): boolean;
  /** Lets running work end, then stops. */
  close(): Promise<void>;
}

/** The parts of the app that a worker process uses. */
type WorkerParts = Omit<MaintenanceParts, 'lookForWebhooks'> &
  WebhookParts &
  MonitoredParts &
  Pick<
    App,
    'metrics' | 'tracing' | 'registry' | 'events' | 'jobStore' | 'scoringRecords' | 'batchProgress' | 'latestResults'
  >;

/** Starts everything that a worker process does. A failed start leaves nothing running. */
export async function startWorkers(app: WorkerParts): Promise<Workers> {
  return startOrClose(
    async (closers) => {
      const pulse = createWorkPulse();
      await startParts(app, pulse, closers);
      return { isStuck: () => pulse.isStuck(), close: () => closers.close() };
    },
    (error) => logError(app.logger, error, 'a part of a worker that failed to start did not close', { level: 'warn' }),
  );
}

async function startParts(app: WorkerParts, pulse: WorkPulse, closers: Closers): Promise<void> {
  const { config, logger, metrics, tracing, models, registry, events, jobStore, scoringRecords } = app;
  const { batchProgress, latestResults } = app;
  const runningJobs = createRunningJobs(events);
  closers.add(() => runningJobs.close());
  const lookForWebhooks = startWebhooks(app, closers);
  const maintenance = await startMaintenance({ ...app, lookForWebhooks });
  closers.add(() => maintenance.close());
  startBackups(app, closers);
  const engine = createScoringEngine({
    threads: config.workerScoringThreads,
    start: startScoringThread,
    bundle: (id, version) => registry.bundle(id, version),
    logger,
  });
  closers.add(() => engine.close());
  const bounds = { attempts: config.jobAttempts, leaseMs: config.jobLeaseMs };
  const chunkRunner = createChunkRunner({
    models,
    scoringRecords,
    registry,
    engine,
    jobStore,
    batchProgress,
    latestResults,
    events,
    metrics,
    tracing,
    logger,
    ...bounds,
  });
  closers.add(() => chunkRunner.close());
  const runners = createEntryRunners({
    scoringRecords,
    registry,
    scorerOf: createRowScorers(metrics),
    jobStore,
    events,
    metrics,
    tracing,
    chunkRunner,
    logger,
    ...bounds,
  });
  const process = createEntryProcessor(runners, runningJobs);
  const concurrency: Readonly<Record<EntryKind, number>> = {
    single: config.workerConcurrency,
    chunk: config.workerBatchConcurrency,
  };
  const queueWorkers: QueueWorker[] = [];
  // The queue workers close at the same time, so that no kind of work waits for another kind to end.
  closers.add(() => closeTogether(queueWorkers.map((worker) => () => worker.close())));
  for (const kind of entryKinds)
    queueWorkers.push(
      await startQueueWorker({
        kind,
        concurrency: concurrency[kind],
        leaseMs: config.jobLeaseMs,
        process: (data, isRepeated) => pulse.run(() => process(data, isRepeated)),
        connectRedis: app.connectRedis,
        redisPrefix: config.redisPrefix,
        logger,
      }),
    );
  await monitorWorker(app, pulse, closers);
  logger.info(
    {
      concurrency: config.workerConcurrency,
      models: registry.list().map(({ manifest }) => `${manifest.id}@${manifest.version}`),
    },
    'worker started',
  );
}
