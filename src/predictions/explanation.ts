import type { JobFailure, StoredExplanation } from '../../models/index.js';
import { type AdditiveValues, additivityIssue, describeAdditivityError } from '../risk/additivity.js';
import type { RowExplanation, Score } from '../risk/risk-model.js';

export function toStoredExplanation(explanation: RowExplanation): StoredExplanation {
  const { method, baseValue, outputValue, additivityError, contributions } = explanation;
  return { method, baseValue, outputValue, additivityError, contributions: Array.from(contributions) };
}

/** An explanation that is computed or stored. `additivityError` is the model's own, in the model's output space. */
export interface AdditiveExplanation extends AdditiveValues {
  readonly additivityError: number;
}

/**
 * @returns a failure if the contributions do not add up to the model's output, by the model's own sum or by the score
 */
export function additivityFailure(
  explanation: AdditiveExplanation,
  { rawOutput }: Pick<Score, 'rawOutput'>,
): JobFailure | undefined {
  const own = explanation.additivityError / Math.max(1, Math.abs(rawOutput));
  const issue = additivityIssue(explanation, rawOutput) ?? describeAdditivityError(own);
  if (!issue) return undefined;
  return {
    code: 'INTERNAL',
    message: `There is no result, because ${issue}: ask your operator to check the risk model with "riskgraph model check".`,
  };
}
