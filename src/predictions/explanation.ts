import type { JobFailure, StoredExplanation } from '../../models/index.js';
import type { RowExplanation, Score } from '../risk/risk-model.js';

/** Largest difference between an explanation and its sum, in the model's output space. Above it nothing is stored. */
const additivityTolerance = 1e-5;

export function toStoredExplanation(explanation: RowExplanation): StoredExplanation {
  const { method, baseValue, outputValue, additivityError, contributions } = explanation;
  return { method, baseValue, outputValue, additivityError, contributions: Array.from(contributions) };
}

/** The parts of an explanation that must add up. The explanation may be computed or stored. */
export interface AdditiveExplanation {
  readonly baseValue: number;
  readonly contributions: Iterable<number>;
  readonly additivityError: number;
}

/**
 * @returns a failure if the contributions do not add up to the model's output, by the model's own sum or by the score
 */
export function additivityFailure(
  explanation: AdditiveExplanation,
  score: Pick<Score, 'rawOutput'>,
): JobFailure | undefined {
  let sum = explanation.baseValue;
  for (const value of explanation.contributions) sum += value;
  const error = Math.abs(sum - score.rawOutput);
  if (error <= additivityTolerance && explanation.additivityError <= additivityTolerance) return undefined;
  return {
    code: 'INTERNAL',
    message:
      `The explanation does not add up to the model's output (off by ${error.toExponential(1)}, ` +
      `${additivityTolerance} is allowed), so there is no result: ask your operator to check the risk model with ` +
      `"riskgraph model check".`,
  };
}
