import type { JobFailure } from '../../models/index.js';
import { isDatabaseOutage, isDiskFull } from '../storage/database.js';
import { RiskGraphError } from '../errors.js';
import { CiphertextError } from '../protection/errors.js';
import { InvalidFeaturesError } from '../risk/risk-model.js';

/** An error that another attempt cannot mend: the job, or one patient of it, has failed finally. */
export class PermanentError extends Error {
  override readonly name = 'PermanentError';
  constructor(readonly failure: JobFailure) {
    super(failure.message);
  }
}

/**
 * The failure that the submitter of a job sees. Unknown errors are INTERNAL, because their text may hold patient data.
 */
export function describeFailure(error: unknown): JobFailure {
  if (error instanceof PermanentError) return error.failure;
  if (error instanceof InvalidFeaturesError) return { code: 'BAD_USER_INPUT', message: error.message };
  if (error instanceof RiskGraphError) return { code: error.code, message: error.message };
  if (isDiskFull(error))
    return {
      code: 'SERVICE_UNAVAILABLE',
      message: 'A disk of the server is full: tell your operator. If the job has ended, retry it when there is room.',
    };
  if (isDatabaseOutage(error))
    return {
      code: 'SERVICE_UNAVAILABLE',
      message: 'The database could not be reached while the job ran: if the job has ended, submit it again.',
    };
  return {
    code: 'INTERNAL',
    message: 'An unexpected error occurred: ask your operator to look for the id of this job in the worker log.',
  };
}

/** Tells whether another attempt cannot help. */
export function isPermanent(error: unknown): boolean {
  return error instanceof PermanentError || error instanceof InvalidFeaturesError || error instanceof CiphertextError;
}
