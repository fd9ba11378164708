/*
 * Chunk: a slice of the patients of a batch, cut at submission and never changed. It is the unit of work of a batch. It
 * has its own queue entry, lease and attempts, and its predictions are stored together, as one block.
 *
 * How a batch of known patients is accepted:
 * 1. The ids of the patients arrive, some thousands at a time. They are cut into chunks, and the chunks are written.
 * 2. The audit event is recorded, and the job is written. If this fails, the chunks are deleted.
 * 3. The job is dispatched, and the caller does not wait for that.
 */
import { Types } from 'mongoose';
import { ScoringJobKind, type Models, type ScoringChunk, type ScoringJob } from '../../models/index.js';
import { type AuditTrail, recorded } from '../audit/audit-trail.js';
import type { Viewer } from '../auth/viewer.js';
import { BadUserInputError } from '../errors.js';
import { largestBlock } from '../predictions/prediction-block.js';
import type { RiskModel } from '../risk/risk-model.js';
import { packIds } from '../storage/binary.js';
import { refuseOtherRequest, type RequestIdentity } from './idempotency.js';
import type { JobDispatcher } from './job-dispatcher.js';
import { newJob } from './job-service.js';
import type { JobStore } from './job-store.js';
import { about } from './visible-jobs.js';

/** Patients of the largest batch. */
const largestBatch = 1_000_000;

/** Chunk documents per write. The number bounds the memory of a submission, together with the ids of one bulk. */
const chunksPerWrite = 50;

/** A batch whose caller, model and options were checked. */
interface CheckedBatch {
  readonly model: RiskModel;
  readonly request: Parameters<typeof newJob>[2];
  readonly identity: RequestIdentity | undefined;
  /** Ids of the patients, each of them once. All of them are visible to the viewer. */
  readonly patients: AsyncIterable<readonly Types.ObjectId[]>;
  /** The argument that chose the patients, for the refusal of a batch without patients. */
  readonly chosenBy: string;
}

/**
 * Accepts a batch. The patients are fixed at submission. Their ids are written in chunks before the job itself, so a
 * job that exists always has all its chunks.
 * @throws BadUserInputError without patients or with too many, ConflictError (idempotency key), what `patients` throws
 */
export type AcceptBatch = (viewer: Viewer, batch: CheckedBatch) => Promise<ScoringJob>;

interface PatientBatchDependencies {
  readonly models: Pick<Models, 'scoringChunks'>;
  readonly audit: AuditTrail;
  readonly jobStore: JobStore;
  readonly jobDispatcher: JobDispatcher;
  /** Most patients of a chunk. A model with many features allows fewer: those that fit into one block. */
  readonly largestChunk: number;
}

export function createPatientBatches({
  models,
  audit,
  jobStore,
  jobDispatcher,
  largestChunk,
}: PatientBatchDependencies): AcceptBatch {
  async function writeChunks(
    job: Types.ObjectId,
    found: AsyncIterable<readonly Types.ObjectId[]>,
    chunkSize: number,
  ): Promise<number> {
    let chunks: ScoringChunk[] = [];
    const uncut: Types.ObjectId[] = [];
    let total = 0;
    let number = 0;
    const cut = (): void => {
      const ids = uncut.splice(0, chunkSize);
      chunks.push({
        _id: new Types.ObjectId(),
        job,
        number: number++,
        patients: packIds(ids),
        size: ids.length,
        done: false,
        failed: 0,
        attempts: 0,
        failures: [],
      });
    };
    const write = async (): Promise<void> => {
      if (chunks.length > 0) await models.scoringChunks.collection.insertMany(chunks as never[]);
      chunks = [];
    };
    for await (const ids of found) {
      total += ids.length;
      if (total > largestBatch)
        throw new BadUserInputError([
          { path: 'filter', message: `matches more than ${largestBatch} patients: submit several smaller batches` },
        ]);
      uncut.push(...ids);
      while (uncut.length >= chunkSize) {
        cut();
        if (chunks.length === chunksPerWrite) await write();
      }
    }
    if (uncut.length > 0) cut();
    await write();
    return total;
  }

  return async (viewer, { model, request, identity, patients, chosenBy }) => {
    const common = newJob(viewer, model, request, identity);
    const { features, classes = [] } = model.manifest;
    try {
      const total = await writeChunks(
        common._id,
        patients,
        Math.min(largestChunk, largestBlock({ features: features.length, classes: classes.length })),
      );
      if (total === 0)
        throw new BadUserInputError([{ path: chosenBy, message: 'matches no patient of your organization' }]);
      return await recorded(audit, viewer, { action: 'job:submit', ...about(common) }, async () => {
        const { job, created } = await jobStore.insert(
          jobStore.traced({ ...common, kind: ScoringJobKind.BATCH, total }),
        );
        // The caller does not wait: the job is accepted already, and a million patients make many queue entries.
        if (created) void jobDispatcher.dispatch(job);
        else {
          await models.scoringChunks.deleteMany({ job: common._id });
          refuseOtherRequest(job, identity);
          // Another request with the same key came first: the batch of the first event came to nothing.
          await audit.record(viewer, { action: 'job:submit', outcome: 'FAILED', ...about(common) });
        }
        return job;
      });
    } catch (error) {
      await models.scoringChunks.deleteMany({ job: common._id });
      throw error;
    }
  };
}
