import type { ScoringJob } from '../../models/index.js';
import { RiskGraphError, BadUserInputError, NotFoundError } from '../errors.js';
import { type RiskModel, type RiskModelRegistry, type InvalidFeaturesError } from '../risk/risk-model.js';

/**
 * Finds exactly the model for which the job was submitted: same id, same version, same SHA-256.
 * @throws RiskGraphError when this process does not serve it. Another attempt can succeed, because another worker may
 *   have the model while a new version is rolled out.
 */
export function modelOfJob(
  registry: RiskModelRegistry,
  job: Pick<ScoringJob, 'modelId' | 'modelVersion' | 'modelSha256'>,
): RiskModel {
  const model = registry.find(job.modelId, job.modelVersion);
  if (model?.sha256 === job.modelSha256) return model;
  throw new RiskGraphError(
    'NOT_FOUND',
    `The risk model ${job.modelId}@${job.modelVersion} is no longer served exactly as it was when the job was ` +
      'submitted: submit a new job.',
  );
}

/** @throws NotFoundError when the model, or this version of it, is not served */
export function requireModel(registry: RiskModelRegistry, id: string, version: string | null | undefined): RiskModel {
  const model = registry.find(id, version ?? undefined);
  if (!model) throw new NotFoundError(version ? 'This version of the risk model' : 'This risk model');
  return model;
}

/** Turns the issues of an encoding into issues of the caller's input, with the paths `features.<code>`. */
export function invalidFeatures(error: InvalidFeaturesError): BadUserInputError {
  return new BadUserInputError(error.issues.map(({ code, message }) => ({ path: `features.${code}`, message })));
}
