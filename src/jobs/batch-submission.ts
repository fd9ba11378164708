/*
 * How a batch is accepted:
 * 1. The viewer must be allowed to submit, and the input must be valid.
 * 2. A job with the same idempotency key is returned instead of a new one.
 * 3. The patients are found: by their ids, by a filter, or all.
 * 4. The batch of these patients is accepted (patient-batches.ts).
 */
import { Types } from 'mongoose';
import type { ScoringJob } from '../../models/index.js';
import { authorize } from '../auth/authorize.js';
import type { Viewer } from '../auth/viewer.js';
import { BadUserInputError } from '../errors.js';
import { parseInput, toObjectId } from '../input.js';
import type { OrganizationScope, ScopeOf } from '../scope/organization-scope.js';
import { visiblePatientIds } from '../patients/care-team-fence.js';
import type { LatestConditions } from '../patients/latest-conditions.js';
import { authorizeFilter, patientQuery, requirePrefixSearch } from '../patients/patient-filter.js';
import type { RiskModelRegistry } from '../risk/risk-model.js';
import { findByKey, identifyRequest } from './idempotency.js';
import { submitBatchScoringJobSchema, type SubmitBatchScoringJob } from './job-input.js';
import type { AcceptBatch } from './patient-batches.js';
import { requireModel } from '../predictions/served-models.js';

/**
 * Accepts a batch of the patients that the input chooses.
 * @throws BadUserInputError, NotFoundError (model), ConflictError (idempotency key)
 */
export type SubmitBatch = (viewer: Viewer | null, input: SubmitBatchScoringJob) => Promise<ScoringJob>;

interface BatchSubmissionDependencies {
  readonly scopeOf: ScopeOf;
  readonly registry: RiskModelRegistry;
  readonly latestConditions: LatestConditions;
  readonly accept: AcceptBatch;
}

export function createBatchSubmission({
  scopeOf,
  registry,
  latestConditions,
  accept,
}: BatchSubmissionDependencies): SubmitBatch {
  return async (viewer, input) => {
    authorize(viewer, 'job:submit');
    const request = parseInput(submitBatchScoringJobSchema, input);
    authorizeFilter(viewer, request.filter ?? {});
    const scope = scopeOf(viewer);
    const identity = await identifyRequest(scope, viewer, request);
    const known = await findByKey(scope, identity);
    if (known) return known;
    const model = requireModel(registry, request.modelId, request.modelVersion);
    const filter = request.filter ?? {};
    await requirePrefixSearch(scope, filter);
    const { condition } = await latestConditions(filter);
    return accept(viewer, {
      model,
      request,
      identity,
      patients: request.patientIds
        ? named(scope, request.patientIds)
        : visiblePatientIds(scope, viewer, { ...patientQuery(filter), ...condition }),
      chosenBy: request.filter ? 'filter' : 'all',
    });
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
