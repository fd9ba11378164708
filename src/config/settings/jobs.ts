import { z } from 'zod';
import { wholeNumber } from '../setting-schemas.js';
import type { Setting } from '../setting.js';

/** Scoring jobs and the workers that run them. */
export const jobSettings = [
  {
    name: 'WORKER_CONCURRENCY',
    key: 'workerConcurrency',
    schema: wholeNumber(1, 1_000).default(64),
    description: 'Single jobs that a worker runs at once. They share their round trips to the databases',
  },
  {
    name: 'WORKER_BATCH_CONCURRENCY',
    key: 'workerBatchConcurrency',
    schema: wholeNumber(1, 64).default(4),
    description: 'Chunks of batches that a worker runs at once, in addition to the single jobs',
  },
  {
    name: 'WORKER_SCORING_THREADS',
    key: 'workerScoringThreads',
    schema: wholeNumber(1, 64).default(1),
    description: 'Threads of a worker that compute chunks of batches. Each holds its own copy of the models',
  },
  {
    name: 'BATCH_CHUNK_SIZE',
    key: 'batchChunkSize',
    schema: wholeNumber(1, 5_000).default(2_000),
    description: 'Patients per chunk of a batch',
  },
  {
    name: 'JOB_ATTEMPTS',
    key: 'jobAttempts',
    schema: wholeNumber(1, 20).default(5),
    description: 'Attempts of a job before it is FAILED',
  },
  {
    name: 'JOB_RETRY_DELAY_MS',
    key: 'jobRetryDelayMs',
    schema: wholeNumber(1, 60_000).default(500),
    description: 'Milliseconds before the first retry. The delay doubles with each retry, with jitter',
  },
  {
    name: 'JOB_LEASE_MS',
    key: 'jobLeaseMs',
    schema: wholeNumber(500, 300_000).default(10_000),
    description: 'Milliseconds of silence after which another worker takes over a running job',
  },
  {
    name: 'RECONCILE_INTERVAL_MS',
    key: 'reconcileIntervalMs',
    schema: wholeNumber(100, 60_000).default(2_000),
    description: 'Milliseconds between two comparisons of MongoDB with the queue',
  },
  {
    name: 'WORKLIST_MODEL',
    key: 'worklistModel',
    schema: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,63}$/, 'must be the id of a risk model, e.g. heart-disease')
      .optional(),
    description: 'Model whose latest results order and filter patients when a caller names none. Default: the only one',
  },
] as const satisfies readonly Setting[];
