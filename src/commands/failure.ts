import { RiskGraphError, StartupError } from '../errors.js';
import { InvalidModelError } from '../risk/errors.js';

/** Describes an error in one line for the operator. Only errors that were written for a person show their full text. */
export function failureLine(error: unknown): string {
  if (error instanceof StartupError || error instanceof RiskGraphError || error instanceof InvalidModelError)
    return error.message;
  if (error instanceof Error) return `${error.name}: ${error.message.split('\n')[0]}`;
  return 'unknown failure';
}
