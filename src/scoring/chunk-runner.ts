/*
 * Runs chunks of batches.
 *
 * How a chunk is run:
 * 1. The batch becomes ACTIVE with its first chunk. Nothing is done if the batch has ended or is being cancelled.
 * 2. The worker takes the lease of the chunk, which counts an attempt, and renews it while it works.
 * 3. If an earlier attempt has stored a block already, that block is used.
 * 4. The patients are read and scored. A patient that cannot be scored becomes a failure.
 * 5. The predictions are stored as one block, and patients that were erased meanwhile are removed from it.
 * 6. The chunk is marked as done, the batch counts it, and subscribers get the predictions.
 * 7. When this process has no chunk of the batch left, the results are written to the patients (latest-results.ts).
 *
 * After an error the chunk is released, and the queue delivers it again. After the last attempt, or if another attempt
 * cannot help, its patients become failures.
 */
import { Types } from 'mongoose';
import type { Logger } from 'pino';
import {
  JobStage,
  ScoringJobState,
  type PatientFailure,
  type JobFailure,
  type Models,
  type PredictionBlock,
  type ScoringChunk,
  type ScoringJob,
} from '../../models/index.js';
import { bytesOf, unpackIds } from '../storage/binary.js';
import type { EventBus } from '../events/event-bus.js';
import type { RiskModelRegistry } from '../risk/risk-model.js';
import type { BatchProgress } from '../jobs/batch-progress.js';
import { createChunkOutcomes } from './chunk-outcomes.js';
import { describeFailure, isPermanent } from './job-failure.js';
import { isTerminal, started } from '../jobs/job-status.js';
import { workerLost, type JobStore } from '../jobs/job-store.js';
import { progressPeriodMs, createThrottle } from '../jobs/progress-reporter.js';
import { timeStages, type AttemptMetrics } from './attempt-metrics.js';
import type { ModelMetrics } from './score-patient.js';
import { named, spanFacts } from './single-job-runner.js';
import { createChunkScorer } from './score-chunk.js';
import type { LatestResults } from '../predictions/latest-results.js';
import type { ScoringEngine } from './scoring-engine.js';
import type { ScoringRecords } from '../jobs/scoring-records.js';
import { modelOfJob } from '../predictions/served-models.js';
import { logError } from '../process/logger.js';
import { createSerialTask } from '../process/serial-task.js';
import type { Tracing } from '../process/tracing.js';

interface ChunkRunnerDependencies {
  readonly models: Models;
  readonly scoringRecords: Pick<ScoringRecords, 'patientRows'>;
  readonly registry: RiskModelRegistry;
  readonly engine: ScoringEngine;
  readonly jobStore: JobStore;
  readonly batchProgress: BatchProgress;
  readonly latestResults: Pick<LatestResults, 'collect'>;
  readonly events: EventBus;
  readonly attempts: number;
  readonly leaseMs: number;
  readonly metrics: ModelMetrics & AttemptMetrics;
  readonly tracing: Tracing;
  readonly logger: Logger;
}

/** Runs chunks of batches. Many workers may run chunks of one batch at the same time, and even the same chunk. */
export interface ChunkRunner {
  /**
   * Scores one chunk and stores its predictions as one block. Nothing is done when the chunk or its batch has ended.
   * @throws the error of the attempt, when another attempt may help
   */
  run(jobId: Types.ObjectId, chunkNumber: number, signal: AbortSignal): Promise<void>;
  /** Writes progress that is not written yet. */
  close(): Promise<void>;
}

export function createChunkRunner(dependencies: ChunkRunnerDependencies): ChunkRunner {
  const { models, scoringRecords, registry, engine, jobStore, batchProgress, events, attempts, leaseMs, logger } =
    dependencies;
  const { latestResults, metrics, tracing } = dependencies;
  const { scoringChunks } = models;
  const refreshes = createThrottle(progressPeriodMs, (id) =>
    batchProgress.refresh(new Types.ObjectId(id)).then(
      () => undefined,
      () => undefined,
    ),
  );
  const outcomes = createChunkOutcomes(models);
  // What is left after an error, or at the end of the process, is collected by the maintenance of any worker.
  const collecting = createSerialTask(async () => {
    try {
      await latestResults.collect();
    } catch (error) {
      logError(logger, error, 'latest results not collected: the maintenance tries again', { level: 'warn' });
    }
  });
  const scoreChunk = createChunkScorer(engine, metrics);

  /** Number of chunks that this process runs now, by batch. */
  const underWay = new Map<string, number>();
  const leaseEnd = (): Date => new Date(Date.now() + leaseMs);
  /** Query for the chunk that matches only while no later run has taken over its lease. */
  const held = ({ _id, attempts: run }: ScoringChunk) => ({ _id, done: false, attempts: run });

  /** Marks the chunk as done. If several runs end, only the first of them publishes the predictions. */
  async function end(chunk: ScoringChunk, failures: readonly PatientFailure[], block?: PredictionBlock): Promise<void> {
    const { modifiedCount } = await scoringChunks.updateOne(
      { _id: chunk._id, done: false },
      { $set: { done: true, failures, failed: failures.length }, $unset: { leasedUntil: 1 } },
    );
    refreshes.call(chunk.job.toHexString());
    if (modifiedCount > 0 && block)
      events.publish('predictionsCreated', {
        organizationId: block.organization.toHexString(),
        count: block.rows.length,
      });
  }

  /**
   * Gives the chunk back unfinished. The batch is refreshed at once, because a cancelled batch waits for its chunks.
   */
  async function release(chunk: ScoringChunk): Promise<void> {
    await scoringChunks.updateOne(held(chunk), { $unset: { leasedUntil: 1 } });
    const key = chunk.job.toHexString();
    refreshes.call(key);
    refreshes.flush(key);
  }

  /** Ends a chunk that cannot be run. Stored predictions stay; the other patients become failures. */
  async function giveUp(chunk: ScoringChunk, failure: JobFailure): Promise<void> {
    const block = await outcomes.find(chunk);
    if (block) return end(chunk, block.failures, block);
    return end(
      chunk,
      unpackIds(chunk.patients).map((patient) => ({ patient, ...failure })),
    );
  }

  async function score(chunk: ScoringChunk, job: ScoringJob, signal: AbortSignal): Promise<PredictionBlock> {
    const stored = chunk.attempts > 1 ? await outcomes.find(chunk) : null;
    if (stored) return outcomes.withoutErased(stored);
    const model = await modelOfJob(registry, job);
    const ids = unpackIds(chunk.patients);
    const stages = timeStages(metrics, 'CHUNK', tracing);
    stages.enter(JobStage.ENCODING);
    const erasures = await outcomes.erasures(job.organization);
    const patients = await scoringRecords.patientRows(job.organization, ids, model.manifest.features);
    stages.enter(JobStage.SCORING);
    const { failures, ...outcome } = await scoreChunk(model, patients, job.explain, signal);
    signal.throwIfAborted();
    stages.enter(JobStage.SAVING);
    const block = await outcomes.store(job, model, chunk, {
      ...outcome,
      failures: [...failures, ...absent(ids, patients.rows.ids)],
    });
    const left = await outcomes.withoutErased(block, erasures);
    stages.end();
    logger.trace({ ...named(job), chunk: chunk.number, stages: stages.milliseconds() }, 'chunk scored');
    return left;
  }

  async function run(jobId: Types.ObjectId, number: number, signal: AbortSignal): Promise<void> {
    const begun = await begin(jobStore, jobId);
    if (!begun) return;
    // A cancelled batch ends when no worker holds a lease of it. So no lease is taken here: hundreds of its chunks may
    // still be delivered, and each lease would delay the end.
    if (begun.cancelRequestedAt) return refreshes.call(jobId.toHexString());
    const before = await scoringChunks
      .findOneAndUpdate(
        { job: jobId, number, done: false },
        { $inc: { attempts: 1 }, $set: { leasedUntil: leaseEnd() } },
        { returnDocument: 'before' },
      )
      .lean<ScoringChunk>();
    if (!before) return refreshes.call(jobId.toHexString());
    metrics.attempts.inc({ kind: 'CHUNK' });
    // An attempt that ends gives its lease back.
    if (before.leasedUntil) metrics.takeovers.inc({ kind: 'CHUNK' });
    const chunk = { ...before, attempts: before.attempts + 1, patients: Buffer.from(bytesOf(before.patients)) };
    // The job is read after the lease was taken. A cancellation is written before leases are searched. So either this
    // worker sees the cancellation, or the cancellation sees this lease.
    const job = await jobStore.find(jobId);
    if (!job || isTerminal(job.status.state) || job.cancelRequestedAt) return release(chunk);
    if (chunk.attempts > attempts) return giveUp(chunk, workerLost);
    const renewal = setInterval(() => {
      void scoringChunks.updateOne(held(chunk), { $set: { leasedUntil: leaseEnd() } }).catch(() => undefined);
    }, leaseMs / 3);
    try {
      const facts = { ...spanFacts(job), 'riskgraph.chunk': number, 'riskgraph.attempt': chunk.attempts };
      await tracing.continued('score a chunk', job.traceparent, facts, async () => {
        const block = await score(chunk, job, signal);
        await end(chunk, block.failures, block);
      });
    } catch (error) {
      if (signal.aborted) return await release(chunk);
      const failure = describeFailure(error);
      const subject = { ...named(job), chunk: number };
      logError(logger, error, 'chunk attempt failed', { level: 'warn', ...subject, code: failure.code });
      metrics.failedAttempts.inc({ kind: 'CHUNK', code: failure.code });
      if (isPermanent(error) || chunk.attempts >= attempts) return await giveUp(chunk, failure);
      await release(chunk);
      throw error;
    } finally {
      clearInterval(renewal);
    }
  }

  return {
    async run(jobId, number, signal) {
      const key = jobId.toHexString();
      underWay.set(key, (underWay.get(key) ?? 0) + 1);
      try {
        await run(jobId, number, signal);
      } finally {
        const left = underWay.get(key)! - 1;
        if (left > 0) underWay.set(key, left);
        else {
          underWay.delete(key);
          // This may have been the last chunk of the batch. Its end is written at once, not after a period.
          refreshes.flush(key);
          void collecting.run();
        }
      }
    },
    async close() {
      await refreshes.close();
      await collecting.settled();
    },
  };
}

/** Makes the batch ACTIVE if this is its first chunk. @returns the batch, or null when it has ended or was deleted */
async function begin(store: JobStore, jobId: Types.ObjectId): Promise<ScoringJob | null> {
  const job = await store.change(jobId, ({ status }) =>
    status.state === ScoringJobState.QUEUED ? { status: started(status, new Date()) } : null,
  );
  return !job || isTerminal(job.status.state) ? null : job;
}

/** Failures for the patients that were not found. */
function absent(ids: readonly Types.ObjectId[], found: readonly Types.ObjectId[]): PatientFailure[] {
  if (found.length === ids.length) return [];
  const present = new Set(found.map((id) => id.toHexString()));
  return ids
    .filter((id) => !present.has(id.toHexString()))
    .map((patient) => ({ patient, code: 'NOT_FOUND', message: 'The patient was deleted before it could be scored.' }));
}
