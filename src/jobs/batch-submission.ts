/*
 * Chunk: a slice of the patients of a batch, cut at submission and never changed. It is the unit of work of a batch. It
 * has its own queue entry, lease and attempts, and its predictions are stored together, as one block.
 *
 * How a batch is accepted:
 * 1. The viewer must be allowed to submit, and the input must be valid.
 * 2. A job with the same idempotency key is returned instead of a new one.
 * 3. The patients are found: by their ids, by a filter, or all.
 * 4. Their ids are cut into chunks, and the chunks are written.
 * 5. The audit event is recorded, and the job is written. If this fails, the chunks are deleted.
 * 6. The job is dispatched, and the caller does not wait for that.
 */
import { Types } from 'mongoose';
import { ScoringJobKind, type Models, type ScoringChunk, type ScoringJob } from '../../models/index.js';
import { type AuditTrail, recorded } from '../audit/audit-trail.js';
import { authorize } from '../auth/authorize.js';
import type { Viewer } from '../auth/viewer.js';
import { BadUserInputError } from '../errors.js';
import { parseInput, toObjectId } from '../input.js';
import type { OrganizationScope, ScopeOf } from '../scope/organization-scope.js';
import { visiblePatientIds } from '../patients/care-team-fence.js';
import { authorizeFilter, patientQuery } from '../patients/patient-filter.js';
import type { RiskModelRegistry } from '../risk/risk-model.js';
import { findByKey, identifyRequest, refuseOtherRequest } from './idempotency.js';
import type { JobDispatcher } from './job-dispatcher.js';
import { submitBatchScoringJobSchema, type SubmitBatchScoringJob } from './job-input.js';
import { requireModel } from '../predictions/served-models.js';
import { newJob } from './job-service.js';
import type { JobStore } from './job-store.js';
import { about } from './visible-jobs.js';
import { packIds } from '../storage/binary.js';
import { largestBlock } from '../predictions/prediction-block.js';

/** Patients of the largest batch. */
const largestBatch = 1_000_000;

/** Chunk documents per write. The number bounds the memory of a submission, together with the ids of one bulk. */
const chunksPerWrite = 50;

/**
 * Accepts a batch. The patients are fixed at submission. Their ids are written in chunks before the job itself, so a
 * job that exists always has all its chunks.
 * @throws BadUserInputError, NotFoundError (model), ConflictError (idempotency key)
 */
export type SubmitBatch = (viewer: Viewer | null, input: SubmitBatchScoringJob) => Promise<ScoringJob>;

interface BatchSubmissionDependencies {
  readonly models: Pick<Models, 'scoringChunks'>;
  readonly scopeOf: ScopeOf;
  readonly audit: AuditTrail;
  readonly registry: RiskModelRegistry;
  readonly jobStore: JobStore;
  readonly jobDispatcher: JobDispatcher;
  /** Most patients of a chunk. A model with many features allows fewer: those that fit into one block. */
  readonly largestChunk: number;
}

export function createBatchSubmission({
  models,
  scopeOf,
  audit,
  registry,
  jobStore,
  jobDispatcher,
  largestChunk,
}: BatchSubmissionDependencies): SubmitBatch {
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

  return async (viewer, input) => {
    authorize(viewer, 'job:submit');
    const request = parseInput(submitBatchScoringJobSchema, input);
    authorizeFilter(viewer, request.filter ?? {});
    const scope = scopeOf(viewer);
    const identity = await identifyRequest(scope, viewer, request);
    const known = await findByKey(scope, identity);
    if (known) return known;
    const model = requireModel(registry, request.modelId, request.modelVersion);
    const common = newJob(viewer, model, request, identity);
    const { features, classes = [] } = model.manifest;
    try {
      const ids = request.patientIds
        ? named(scope, request.patientIds)
        : visiblePatientIds(scope, viewer, patientQuery(request.filter ?? {}));
      const total = await writeChunks(
        common._id,
        ids,
        Math.min(largestChunk, largestBlock({ features: features.length, classes: classes.length })),
      );
      if (total === 0)
        throw new BadUserInputError([
          { path: request.filter ? 'filter' : 'all', message: 'matches no patient of your organization' },
        ]);
      return await recorded(audit, viewer, { action: 'job:submit', ...about(common) }, async () => {
        const { job, created } = await jobStore.insert({ ...common, kind: ScoringJobKind.BATCH, total });
        // The caller does not wait: the job is accepted already, and a million patients make many queue entries.
        if (created) void jobDispatcher.dispatch(job);
        else {
          await models.scoringChunks.deleteMany({ job: common._id });
          refuseOtherRequest(job, identity);
        }
        return job;
      });
    } catch (error) {
      await models.scoringChunks.deleteMany({ job: common._id });
      throw error;
    }
  };
}

/**
 * Ids of the named patients, each of them once.
 * @throws BadUserInputError naming the ids that the organization does not have
 */
async function* named(
  { patients }: OrganizationScope,
  patientIds: readonly string[],
): AsyncGenerator<readonly Types.ObjectId[]> {
  const idsPerQuery = 10_000;
  const known = new Set<string>();
  for (let start = 0; start < patientIds.length; start += idsPerQuery) {
    const ids = patientIds.slice(start, start + idsPerQuery).flatMap((id) => toObjectId(id) ?? []);
    for await (const found of patients.ids({ _id: { $in: ids } })) found.forEach((id) => known.add(id.toHexString()));
  }
  const unknown = patientIds.flatMap((id, index) =>
    known.has(id) ? [] : [{ path: `patientIds[${index}]`, message: 'was not found in your organization' }],
  );
  if (unknown.length > 0) throw new BadUserInputError(unknown.slice(0, 100));
  yield Array.from(new Set(patientIds), (id) => new Types.ObjectId(id));
}
