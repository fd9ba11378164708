import { Types, type QueryFilter } from 'mongoose';
import type { Way } from '../scope/pagination.js';
import type { IndexKeys } from '../scope/scoped-collection.js';
import { startOfSecond } from '../storage/object-ids.js';
import type { Prediction, PredictionBlock } from '../../models/index.js';
import { idOrNone } from '../input.js';
import type { RiskBand } from '../risk/output-schema.js';
import { modelCondition } from './served-models.js';
import { placeOf } from './prediction-block.js';

/** Conditions on predictions. All of them must hold. */
export interface PredictionFilter {
  readonly patientId?: string | null;
  readonly jobId?: string | null;
  readonly modelId?: string | null;
  readonly modelVersion?: string | null;
  readonly riskBands?: readonly RiskBand[] | null;
  readonly createdAfter?: Date | null;
  readonly createdBefore?: Date | null;
  readonly minimumProbability?: number | null;
  readonly maximumProbability?: number | null;
}

/** A filter, and limits on the matching predictions that are returned. */
export interface PredictionSelection extends PredictionFilter {
  /** Patients whose predictions are left out. */
  readonly closed?: readonly Types.ObjectId[];
  /** Jobs whose predictions are returned; all jobs if absent. */
  readonly jobs?: readonly Types.ObjectId[];
}

/** Conditions on fields that predictions and blocks have in common. */
function sharedConditions(
  filter: PredictionSelection,
): QueryFilter<Pick<Prediction, 'job' | 'modelId' | 'modelVersion' | 'createdAt'>> {
  const created = {
    ...(filter.createdAfter != null && { $gt: filter.createdAfter }),
    ...(filter.createdBefore != null && { $lt: filter.createdBefore }),
  };
  return {
    ...(filter.jobId != null && { job: idOrNone(filter.jobId) }),
    ...(filter.jobs && { job: { $in: [...filter.jobs] } }),
    ...modelCondition(filter),
    ...(Object.keys(created).length > 0 && { createdAt: created }),
  };
}

/** A place in the list of predictions, newest first: `forward` of it are the older ones. Without an id: all of them. */
interface PredictionPlace {
  readonly id: Types.ObjectId | undefined;
  readonly way: Way;
}

/**
 * Query for predictions that are stored on their own.
 * @param place only predictions on that way from it match
 */
export function predictionQuery(filter: PredictionSelection, place?: PredictionPlace): QueryFilter<Prediction> {
  return {
    ...sharedConditions(filter),
    ...(filter.patientId != null && { patient: idOrNone(filter.patientId) }),
    ...(filter.riskBands != null && { riskBand: { $in: [...filter.riskBands] } }),
    ...(hasRange(filter) && {
      probability: {
        $gte: filter.minimumProbability ?? 0,
        ...(filter.maximumProbability != null && { $lte: filter.maximumProbability }),
      },
    }),
    ...(filter.closed?.length && { $nor: [{ patient: { $in: [...filter.closed] } }] }),
    ...(place?.id && { _id: place.way === 'forward' ? { $lt: place.id } : { $gt: place.id } }),
    // Bounds the scan of the index: an id is made when its prediction is stored.
    ...(filter.createdAfter != null && { $and: [{ _id: { $gte: startOfSecond(filter.createdAfter) } }] }),
  };
}

/** The index that gives predictions stored on their own in their order. A job has at most one of them. */
export function predictionIndex({ patientId, jobId, jobs }: PredictionSelection): IndexKeys {
  if (jobId != null || jobs) return { job: 1, patient: 1 };
  if (patientId != null) return { organization: 1, patient: 1, _id: -1 };
  // The index also holds what the filters compare, so that MongoDB reads only documents that match.
  return { organization: 1, _id: -1, probability: 1, riskBand: 1, modelId: 1, modelVersion: 1 };
}

/** The index that gives blocks in their order. */
export function blockIndex({ patientId, jobId, jobs }: PredictionSelection): IndexKeys {
  if (jobId != null || jobs) return { organization: 1, job: 1, _id: -1, size: 1 };
  if (patientId != null) return { 'rows.patient': 1, _id: -1 };
  return { organization: 1, _id: -1, size: 1, highestProbability: 1, modelId: 1, modelVersion: 1 };
}

/** Query for blocks that may contain a match. All other blocks are not read. */
export function blockQuery(filter: PredictionSelection, place?: PredictionPlace): QueryFilter<PredictionBlock> {
  const block = place?.id && placeOf(place.id).block;
  const oldest = [
    // The first bytes of a block's id are the seconds of its `createdAt`.
    ...(filter.createdAfter != null ? [startOfSecond(filter.createdAfter)] : []),
    ...(block && place.way === 'backward' ? [block] : []),
  ];
  return {
    ...sharedConditions(filter),
    ...(filter.patientId != null && { 'rows.patient': idOrNone(filter.patientId) }),
    ...(filter.riskBands != null && { riskBands: { $in: [...filter.riskBands] } }),
    ...(filter.minimumProbability != null && { highestProbability: { $gte: filter.minimumProbability } }),
    _id: {
      ...(oldest.length > 0 && { $gte: oldest.sort((a, b) => Buffer.compare(a.id, b.id)).at(-1)! }),
      $lte: block && place.way === 'forward' ? block : newestId,
    },
  };
}

const newestId = new Types.ObjectId('ffffffffffffffffffffffff');

/** Tells whether some rows of a block may match while other rows do not. */
export const choosesRows = (filter: PredictionSelection): boolean =>
  filter.patientId != null || filter.riskBands != null || hasRange(filter) || (filter.closed ?? []).length > 0;

/** Tells whether a filter limits the probability. Then predictions of quantities do not match. */
const hasRange = ({ minimumProbability, maximumProbability }: PredictionSelection): boolean =>
  minimumProbability != null || maximumProbability != null;

/** Aggregation condition on `$$row` of a block. */
export function rowCondition(filter: PredictionSelection, from?: PredictionPlace): object {
  const place = from?.id && placeOf(from.id);
  const beyond = from?.way === 'backward' ? '$gt' : '$lt';
  return {
    $and: [
      ...(filter.patientId != null ? [{ $eq: ['$$row.patient', idOrNone(filter.patientId)] }] : []),
      ...(filter.riskBands != null ? [{ $in: ['$$row.riskBand', [...filter.riskBands]] }] : []),
      // A missing probability is less than every number.
      ...(hasRange(filter) ? [{ $gte: ['$$row.probability', filter.minimumProbability ?? 0] }] : []),
      ...(filter.maximumProbability != null ? [{ $lte: ['$$row.probability', filter.maximumProbability] }] : []),
      ...(filter.closed?.length ? [{ $not: { $in: ['$$row.patient', [...filter.closed]] } }] : []),
      ...(place ? [{ $or: [{ [beyond]: ['$_id', place.block] }, { [beyond]: ['$$row.number', place.number] }] }] : []),
    ],
  };
}
