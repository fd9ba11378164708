import type { JobFailure, StoredExplanation } from '../../models/index.js';
import type { RowExplanation, Score } from '../risk/risk-model.js';

/** An explanation further from its sum than this is never stored. In the model's output space. */
const additivityTolerance = 1e-5;

export function toStoredExplanation(explanation: RowExplanation): StoredExplanation {
  const { method, baseValue, outputValue, additivityError, contributions } = explanation;
  return { method, baseValue, outputValue, additivityError, contributions: Array.from(contributions) };
}

/** What of an explanation, computed or stored, must add up. */
export interface AdditiveExplanation {
  readonly baseValue: number;
  readonly contributions: Iterable<number>;
  readonly additivityError: number;
}

/** The contributions must add up to what the model said, by its own sum and by the score's. */
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
    message: `The explanation does not add up to the model's output (off by ${error.toExponential(1)}, ${additivityTolerance} is allowed): nothing was stored. Have the risk model checked with "riskgraph model check".`,
  };
}
