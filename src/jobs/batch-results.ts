/*
 * The results of a batch as a stream: every prediction and every failure, in the order of the patients of the batch.
 *
 * How they are read:
 * 1. The viewer must be allowed to read predictions, and must see the job. The job must have ended.
 * 2. The chunks of the batch are read one after the other, each with its block of predictions.
 * 3. Results about closed patients are left out.
 * 4. The reading is recorded, chunk by chunk, and only then the results of the chunk are given.
 *
 * Only one chunk is held at a time. A row is the number of a patient in the batch, from 1. It never changes, so a reader
 * goes on behind the last row that it has.
 */
import type { Types } from 'mongoose';
import type { PatientFailure, Prediction, ScoringChunk, ScoringJob } from '../../models/index.js';
import { authorize } from '../auth/authorize.js';
import type { Viewer } from '../auth/viewer.js';
import { BadUserInputError, ConflictError, NotFoundError } from '../errors.js';
import type { CareTeamFence } from '../patients/care-team-fence.js';
import type { PatientService } from '../patients/patient-service.js';
import { storedPredictions } from '../predictions/stored-predictions.js';
import type { OrganizationScope, ScopeOf } from '../scope/organization-scope.js';
import { bytesOf, unpackIds } from '../storage/binary.js';
import type { JobService } from './job-service.js';
import { jobKinds } from './job-kinds.js';
import { isTerminal } from './job-status.js';

/** The result for one patient of a batch. */
export interface BatchResult {
  /** The number of the patient in the batch, from 1. */
  readonly row: number;
  readonly patient: Types.ObjectId;
  /** The MRN, when it was asked for. Null for a patient that was deleted meanwhile. */
  readonly mrn?: string | null;
  readonly outcome:
    { readonly prediction: Prediction } | { readonly failure: Pick<PatientFailure, 'code' | 'message'> };
}

/** The results that a caller asks for. */
interface ResultsRequest {
  /** The row before the first one to give. @defaultValue 0 */
  readonly after?: number;
  /** True: each result has the MRN of its patient. It needs the right to names. @defaultValue false */
  readonly withMrn?: boolean;
}

/**
 * Reads the results of a batch that has ended.
 * @returns the results, those of one chunk at a time. Reading stops when the caller stops
 * @throws ForbiddenError, NotFoundError, BadUserInputError for a job of one patient, ConflictError before the job ends
 */
export type ReadBatchResults = (
  viewer: Viewer | null,
  jobId: string,
  request?: ResultsRequest,
) => Promise<AsyncIterable<readonly BatchResult[]>>;

interface BatchResultsDependencies {
  readonly scopeOf: ScopeOf;
  readonly fence: CareTeamFence;
  readonly jobs: Pick<JobService, 'find'>;
  readonly patients: Pick<PatientService, 'findMany'>;
}

export function createBatchResults({ scopeOf, fence, jobs, patients }: BatchResultsDependencies): ReadBatchResults {
  async function* read(
    viewer: Viewer,
    job: ScoringJob,
    { after = 0, withMrn = false }: ResultsRequest,
  ): AsyncGenerator<readonly BatchResult[]> {
    // A stream may have a million patients, so its reads are not remembered but recorded one chunk after the other.
    const lasting = { ...viewer, origin: { ...viewer.origin, lasting: true } };
    const scope = scopeOf(viewer);
    for await (const found of walkResults(scope, job, after)) {
      const shown = (await fence.show(lasting, 'prediction:read', found)).filter((result) => result !== null);
      if (shown.length === 0) continue;
      if (!withMrn) {
        yield shown;
        continue;
      }
      const known = await patients.findMany(
        lasting,
        shown.map(({ patient }) => patient.toHexString()),
      );
      yield shown.map((result, index) => ({ ...result, mrn: known[index]?.mrn ?? null }));
    }
  }

  return async (viewer, jobId, request = {}) => {
    authorize(viewer, 'prediction:read');
    if (request.withMrn) authorize(viewer, 'patient:read-identity');
    const job = await jobs.find(viewer, jobId);
    if (!job) throw new NotFoundError('This scoring job');
    if (jobKinds[job.kind].ofOnePatient)
      throw new BadUserInputError([
        { path: 'id', message: 'is a job of one patient: read scoringJob { prediction } at /graphql' },
      ]);
    if (!isTerminal(job.status.state))
      throw new ConflictError(
        'id',
        `The scoring job is ${job.status.state}: follow scoringJobUpdated, and read the results when it has ended.`,
      );
    return read(viewer, job, request);
  };
}

/** Reads all results behind a row, chunk by chunk, in the order of their rows. */
async function* walkResults(
  scope: OrganizationScope,
  job: ScoringJob,
  afterRow: number,
): AsyncGenerator<readonly BatchResult[]> {
  const chunks = scope.chunks(job);
  const size = await chunks.largest();
  if (size === 0) return;
  for (let number = Math.floor(afterRow / size); ;) {
    const [chunk] = await chunks.done(number, 1);
    if (!chunk) return;
    const predictions = await storedPredictions(scope).ofChunk(job._id, chunk.number);
    yield resultsOf(chunk, chunk.number * size, predictions).filter(({ row }) => row > afterRow);
    number = chunk.number + 1;
  }
}

/** @param before number of the patients in the chunks before this one */
function resultsOf(chunk: ScoringChunk, before: number, predictions: readonly Prediction[]): BatchResult[] {
  const predictionOf = new Map(predictions.map((prediction) => [prediction.patient.toHexString(), prediction]));
  const failureOf = new Map(chunk.failures.map((failure) => [failure.patient.toHexString(), failure]));
  return unpackIds(bytesOf(chunk.patients)).flatMap((patient, place): BatchResult[] => {
    const row = before + place + 1;
    const prediction = predictionOf.get(patient.toHexString());
    if (prediction) return [{ row, patient, outcome: { prediction } }];
    // Neither is there for a patient that was deleted.
    const failure = failureOf.get(patient.toHexString());
    return failure ? [{ row, patient, outcome: { failure: { code: failure.code, message: failure.message } } }] : [];
  });
}
