import type { ScoringJob } from '../../models/index.js';
import { RiskGraphError } from '../errors.js';
import type { RiskModel, RiskModelRegistry } from '../risk/risk-model.js';

/**
 * The model version for which the job was submitted, to the bit.
 * @throws RiskGraphError when this process serves another one under that name, or none. Worth another attempt: while
 *   a new version is rolled out, another worker may have it.
 */
export function servedModel(registry: RiskModelRegistry, job: Pick<ScoringJob, 'modelId' | 'modelVersion' | 'modelSha256'>): RiskModel {
  const model = registry.find(job.modelId, job.modelVersion);
  if (model?.sha256 === job.modelSha256) return model;
  throw new RiskGraphError(
    'NOT_FOUND',
    `The risk model ${job.modelId}@${job.modelVersion} is no longer served as it was when the job was submitted: submit a new job.`,
  );
}
