import type { ScoringJob } from '../../models/index.js';
import { RiskGraphError, BadUserInputError, NotFoundError } from '../errors.js';
import { parseModelId, versionName } from '../risk/model-name.js';
import { type RiskModel, type RiskModelRegistry, type InvalidFeaturesError } from '../risk/risk-model.js';

/** The model that a job was submitted for, or that scored a prediction. */
type ScoredBy = Pick<ScoringJob, 'modelId' | 'modelVersion' | 'modelSha256'>;

/**
 * Finds exactly the model of a job or a prediction: same id, same version, same SHA-256. It may be retired.
 * @throws RiskGraphError when this process does not have it. Another attempt can succeed, because another worker may
 *   have the model while a new version is rolled out.
 */
export async function modelOfJob(registry: RiskModelRegistry, scoredBy: ScoredBy): Promise<RiskModel> {
  const model = await registry.load(scoredBy.modelId, scoredBy.modelVersion);
  if (model?.sha256 === scoredBy.modelSha256) return model;
  throw new RiskGraphError(
    'NOT_FOUND',
    `The risk model ${versionName(scoredBy.modelId, scoredBy.modelVersion)} is no longer there exactly as it was when ` +
      'the job was submitted: ask your operator to put its bundle back, or submit a new job for another version.',
  );
}

/**
 * Finds the model for new work.
 * @param id the model's id, or the name of one version of it
 * @throws NotFoundError when the model, or this version of it, is not offered; BadUserInputError when `id` and
 *   `version` name two versions
 */
export function requireModel(registry: RiskModelRegistry, id: string, version: string | null | undefined): RiskModel {
  const named = parseModelId(id);
  if (named.modelVersion !== undefined && version != null && version !== named.modelVersion)
    throw new BadUserInputError([
      { path: 'modelVersion', message: 'must be the version that modelId names, or absent' },
    ]);
  const wanted = version ?? named.modelVersion;
  const model = registry.find(named.modelId, wanted);
  if (model) return model;
  if (wanted !== undefined && registry.manifest(named.modelId, wanted))
    throw new RiskGraphError(
      'NOT_FOUND',
      `The risk model ${versionName(named.modelId, wanted)} is retired: use a version that riskModels lists.`,
    );
  throw new NotFoundError(wanted === undefined ? 'This risk model' : 'This version of the risk model');
}

/** The conditions on `modelId` and `modelVersion` of jobs and predictions that a filter asks for. */
export function modelCondition({
  modelId,
  modelVersion,
}: {
  readonly modelId?: string | null;
  readonly modelVersion?: string | null;
}): { modelId?: string; modelVersion?: string | { $in: string[] } } {
  const named = modelId == null ? undefined : parseModelId(modelId);
  const versions = new Set([named?.modelVersion, modelVersion].filter((version) => version != null));
  return {
    ...(named && { modelId: named.modelId }),
    // No document has two versions.
    ...(versions.size > 0 && { modelVersion: versions.size > 1 ? { $in: [] } : [...versions][0] }),
  };
}

/**
 * Turns the issues of an encoding into issues of the caller's input.
 * @param pathOf the place in the input that gives the value of a feature, or that would have to
 */
export function invalidFeatures(error: InvalidFeaturesError, pathOf: (code: string) => string): BadUserInputError {
  return new BadUserInputError(
    error.issues.map(({ code, message }) => ({ path: pathOf(code), message: `${code} ${message}` })),
  );
}
