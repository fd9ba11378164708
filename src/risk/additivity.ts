import { DisagreementError } from './errors.js';

/** The parts of an explanation that must add up to the model's raw output. */
export interface AdditiveValues {
  readonly baseValue: number;
  readonly contributions: Iterable<number>;
}

/** Largest additivity error of an explanation that may be shown or stored. */
const additivityTolerance = 1e-6;

/**
 * Computes how far an explanation misses the raw output.
 * @returns |baseValue + sum(contributions) - output| / max(1, |output|); Infinity when a number is not finite
 */
export function additivityError({ baseValue, contributions }: AdditiveValues, output: number): number {
  let sum = baseValue;
  for (const value of contributions) sum += value;
  const error = Math.abs(sum - output) / Math.max(1, Math.abs(output));
  return Number.isFinite(error) ? error : Infinity;
}

/**
 * Says why an explanation must not be shown or stored; undefined when it adds up. Every caller that gives explanations
 * away asks this function. The text names no value: rows may be patients.
 */
export function additivityIssue(values: AdditiveValues, output: number): string | undefined {
  return describeAdditivityError(additivityError(values, output));
}

/** Says why an additivity error is too large; undefined when it is not. */
export function describeAdditivityError(error: number): string | undefined {
  if (error <= additivityTolerance) return undefined;
  const off = Number.isFinite(error) ? `off by ${error.toExponential(1)}` : 'its sum is not a finite number';
  return `the SHAP values do not add up to the model's raw output (${off}, ${additivityTolerance} is allowed)`;
}

/** @throws DisagreementError when the explanation does not add up */
export function requireAdditive(values: AdditiveValues, output: number): void {
  const issue = additivityIssue(values, output);
  if (issue) throw new DisagreementError(`${issue}; please report this with the model file`);
}
