import { Types } from 'mongoose';
import type { Logger } from 'pino';
import { ScoringJobState, type ChunkFailure, type JobFault, type Models, type Prediction, type ScoringChunk, type ScoringJob } from '../../models/index.js';
import { isDuplicateKey } from '../database.js';
import type { EventBus } from '../events/event-bus.js';
import { insertGroup } from '../group-queries.js';
import type { RiskModelRegistry } from '../risk/risk-model.js';
import type { BatchProgress } from './batch-progress.js';
import { describeFault, isPermanent } from './job-fault.js';
import { isTerminal, started } from './job-status.js';
import { workerLost, type JobStore } from './job-store.js';
import { unpackIds } from './patient-ids.js';
import { progressPeriodMs } from './progress-reporter.js';
import { scorePatients } from './score-patients.js';
import type { ScoringRecords } from './scoring-records.js';
import { servedModel } from './served-model.js';
import { createThrottle } from './throttle.js';

export interface ChunkRunnerDependencies {
  readonly models: Models;
  readonly records: Pick<ScoringRecords, 'patients'>;
  readonly registry: RiskModelRegistry;
  readonly store: JobStore;
  readonly batchProgress: BatchProgress;
  readonly events: EventBus;
  readonly attempts: number;
  readonly leaseMs: number;
  readonly logger: Logger;
}

/** Runs chunks of batches. Any number of workers may run chunks of one batch, and even the same chunk, at once. */
export interface ChunkRunner {
  /**
   * Scores one chunk and stores its predictions in bulk. Nothing is done when the chunk or its batch has ended.
   * @throws what made the attempt fail, when it is worth another
   */
  run(jobId: Types.ObjectId, chunkNumber: number, signal: AbortSignal): Promise<void>;
  /** Writes the progress that is still held back. */
  close(): Promise<void>;
}

export function createChunkRunner(dependencies: ChunkRunnerDependencies): ChunkRunner {
  const { models, store, batchProgress, attempts, leaseMs, logger } = dependencies;
  const refreshes = createThrottle(progressPeriodMs, (id) => batchProgress.refresh(new Types.ObjectId(id)).then(() => undefined, () => undefined));

  const leaseEnd = (): Date => new Date(Date.now() + leaseMs);

  async function end(chunk: ScoringChunk, failures: ChunkFailure[]): Promise<void> {
    await models.scoringChunks.updateOne(
      { _id: chunk._id, done: false },
      { $set: { done: true, failures, failed: failures.length }, $unset: { leasedUntil: 1 } },
    );
    refreshes.call(chunk.job.toHexString());
  }

  /** Gives the chunk back unfinished. A batch that is being cancelled waits for this. */
  async function release(chunk: ScoringChunk): Promise<void> {
    await models.scoringChunks.updateOne({ _id: chunk._id, done: false }, { $unset: { leasedUntil: 1 } });
    refreshes.call(chunk.job.toHexString());
  }

  /** What is left of a chunk that cannot be run: stored predictions stay, the others are failures. */
  async function giveUp(chunk: ScoringChunk, fault: JobFault): Promise<void> {
    const patients = unpackIds(chunk.patients);
    const scored = await models.predictions.find({ job: chunk.job, patient: { $in: patients } }, { patient: 1 }).lean<Pick<Prediction, 'patient'>[]>();
    const done = new Set(scored.map(({ patient }) => patient.toHexString()));
    await end(chunk, patients.filter((patient) => !done.has(patient.toHexString())).map((patient) => ({ patient, ...fault })));
  }

  return {
    async run(jobId, number, signal) {
      if (!(await begin(store, jobId))) return;
      const leased = await models.scoringChunks
        .findOneAndUpdate({ job: jobId, number, done: false }, { $inc: { attempts: 1 }, $set: { leasedUntil: leaseEnd() } }, { returnDocument: 'after' })
        .lean<ScoringChunk>();
      if (!leased) return refreshes.call(jobId.toHexString());
      const chunk = { ...leased, patients: bytesOf(leased.patients) };
      // Read after the lease was taken: whoever cancels writes first and looks for leases then, so one of us sees the other.
      const job = await store.find(jobId);
      if (!job || isTerminal(job.status.state) || job.cancelRequestedAt) return release(chunk);
      if (chunk.attempts > attempts) return giveUp(chunk, workerLost);
      const renewal = setInterval(() => {
        void models.scoringChunks.updateOne({ _id: chunk._id, done: false }, { $set: { leasedUntil: leaseEnd() } }).catch(() => undefined);
      }, leaseMs / 3);
      try {
        await end(chunk, await scoreChunk(dependencies, job, unpackIds(chunk.patients), signal));
      } catch (error) {
        if (signal.aborted) return await release(chunk);
        const fault = describeFault(error);
        logger.warn({ scoringJobId: jobId.toHexString(), chunk: number, code: fault.code, err: error }, 'chunk attempt failed');
        if (isPermanent(error) || chunk.attempts >= attempts) return await giveUp(chunk, fault);
        await release(chunk);
        throw error;
      } finally {
        clearInterval(renewal);
      }
    },
    close: () => refreshes.close(),
  };
}

/** The batch, ACTIVE from its first chunk on; null when there is nothing left to do. */
async function begin(store: JobStore, jobId: Types.ObjectId): Promise<ScoringJob | null> {
  const job = await store.change(jobId, ({ status }) =>
    status.state === ScoringJobState.QUEUED ? { status: started(status, new Date()) } : null,
  );
  return !job || isTerminal(job.status.state) ? null : job;
}

/** Scores the patients of a chunk that have no prediction yet. @returns those that failed */
async function scoreChunk(
  { models, records, registry, events }: ChunkRunnerDependencies,
  job: ScoringJob,
  ids: Types.ObjectId[],
  signal: AbortSignal,
): Promise<ChunkFailure[]> {
  const model = servedModel(registry, job);
  const patients = await records.patients(job.organization, ids);
  const { predictions, failures } = await scorePatients(model, job, patients, { signal });
  signal.throwIfAborted();
  if (predictions.length > 0) await storePredictions(models, predictions);
  // Erased while we computed: whoever erased them may have looked for predictions before ours were stored.
  const present = await models.patients.collection.find({ _id: { $in: ids } }, { projection: { _id: 1 } }).toArray();
  const presentIds = new Set(present.map(({ _id }) => _id.toHexString()));
  const gone = ids.filter((id) => !presentIds.has(id.toHexString()));
  if (gone.length > 0) await models.predictions.deleteMany({ job: job._id, patient: { $in: gone } });
  const kept = predictions.filter(({ patient }) => presentIds.has(patient.toHexString()));
  events.publish('predictionsCreated', {
    organizationId: job.organization.toHexString(),
    predictionIds: kept.map(({ _id }) => _id.toHexString()),
    patientIds: kept.map(({ patient }) => patient.toHexString()),
  });
  return [
    ...failures.filter(({ patient }) => presentIds.has(patient.toHexString())).map(({ patient, fault }) => ({ patient, ...fault })),
    ...gone.map((patient) => ({ patient, code: 'NOT_FOUND', message: 'The patient was deleted before it could be scored.' })),
  ];
}

/** In bulk; those that an earlier attempt stored are kept. */
async function storePredictions({ predictions: collection }: Models, predictions: Prediction[]): Promise<void> {
  const results = await insertGroup(collection, predictions);
  const refused = results.find((result) => 'error' in result && !isDuplicateKey(result.error));
  if (refused && 'error' in refused) throw refused.error;
}

/** The driver hands out Binary where the class says Buffer. */
function bytesOf(value: Buffer | { readonly buffer: Uint8Array }): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer as Uint8Array);
}
