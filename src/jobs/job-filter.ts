import { Types, type QueryFilter } from 'mongoose';
import type { ScoringJob, ScoringJobKind, ScoringJobState } from '../../models/index.js';
import { toObjectId } from '../input.js';

/** All conditions must hold. */
export interface ScoringJobFilter {
  readonly states?: readonly ScoringJobState[] | null;
  readonly kind?: ScoringJobKind | null;
  readonly patientId?: string | null;
  readonly modelId?: string | null;
  readonly submittedAfter?: Date | null;
}

/** @param closed patients whose jobs do not match, whatever the filter says; batches do */
export function jobQuery(filter: ScoringJobFilter, closed: readonly Types.ObjectId[]): QueryFilter<ScoringJob> {
  return {
    ...(filter.states != null && { 'status.state': { $in: [...filter.states] } }),
    ...(filter.kind != null && { kind: filter.kind }),
    // An id that is none matches nothing.
    ...(filter.patientId != null && { patient: toObjectId(filter.patientId) ?? new Types.ObjectId() }),
    ...(filter.modelId != null && { modelId: filter.modelId }),
    ...(filter.submittedAfter != null && { submittedAt: { $gt: filter.submittedAfter } }),
    ...(closed.length > 0 && { $nor: [{ patient: { $in: [...closed] } }] }),
  };
}
