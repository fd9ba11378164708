import type { JobFailure } from '../../models/index.js';
import { isDatabaseOutage } from '../storage/database.js';
import { RiskGraphError } from '../errors.js';
import { CiphertextError } from '../protection/errors.js';
import { InvalidFeaturesError } from '../risk/risk-model.js';

/** An error that no retry mends: the job, or this patient of it, has failed for good. */
export class PermanentError extends Error {
  override readonly name = 'PermanentError';
  constructor(readonly failure: JobFailure) {
    super(failure.message);
  }
}

/** What a job's submitter is told of an error. Unknown errors are INTERNAL: their text may hold anything. */
export function describeFailure(error: unknown): JobFailure {
  if (error instanceof PermanentError) return error.failure;
  if (error instanceof InvalidFeaturesError) return { code: 'BAD_USER_INPUT', message: error.message };
  if (error instanceof RiskGraphError) return { code: error.code, message: error.message };
  if (isDatabaseOutage(error))
    return { code: 'SERVICE_UNAVAILABLE', message: 'The database was away while the job ran.' };
  return {
    code: 'INTERNAL',
    message: 'An unexpected error: ask your operator to look at the worker log for the id of this job.',
  };
}

/** Whether trying again cannot help. */
export function isPermanent(error: unknown): boolean {
  return error instanceof PermanentError || error instanceof InvalidFeaturesError || error instanceof CiphertextError;
}
