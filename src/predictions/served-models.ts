import type { ScoringJob } from '../../models/index.js';
import { RiskGraphError, BadUserInputError, NotFoundError } from '../errors.js';
import { type RiskModel, type RiskModelRegistry, type InvalidFeaturesError } from '../risk/risk-model.js';

/**
 * The model version for which the job was submitted, to the bit.
 * @throws RiskGraphError when this process serves another one under that name, or none. Worth another attempt: while
 *   a new version is rolled out, another worker may have it.
 */
export function modelOfJob(
  registry: RiskModelRegistry,
  job: Pick<ScoringJob, 'modelId' | 'modelVersion' | 'modelSha256'>,
): RiskModel {
  const model = registry.find(job.modelId, job.modelVersion);
  if (model?.sha256 === job.modelSha256) return model;
  throw new RiskGraphError(
    'NOT_FOUND',
    `The risk model ${job.modelId}@${job.modelVersion} is no longer served as it was when the job was submitted: submit a new job.`,
  );
}

/** @throws NotFoundError when no such model, or not that version, is served */
export function requireModel(registry: RiskModelRegistry, id: string, version: string | null | undefined): RiskModel {
  const model = registry.find(id, version ?? undefined);
  if (!model) throw new NotFoundError(version ? 'This version of the risk model' : 'This risk model');
  return model;
}

/** The issues of an encoding as errors of the caller's input: `features.<code>`. */
export function invalidFeatures(error: InvalidFeaturesError): BadUserInputError {
  return new BadUserInputError(error.issues.map(({ code, message }) => ({ path: `features.${code}`, message })));
}
