import { DisagreementError } from '../errors.js';
import type { RiskModel } from '../risk-model.js';

const tolerance = 1e-6;

/**
 * Scores and explains the manifest's golden vectors, and compares the results with the manifest.
 * @returns the number of golden vectors
 * @throws DisagreementError naming the vector and what differs; InvalidFeaturesError when one cannot be encoded
 */
export async function requireGoldenVectors(model: RiskModel): Promise<number> {
  const { golden, features } = model.manifest;
  const rows = golden.map((vector) => model.encode(vector.features));
  const scores = await model.score(rows);
  const explained =
    golden.some((vector) => vector.contributions) && model.shapMethods.includes('PATH_DEPENDENT')
      ? await model.explain(rows, 'PATH_DEPENDENT')
      : undefined;
  golden.forEach((vector, index) => {
    const refuse = (what: string, difference: number): never => {
      throw new DisagreementError(
        `golden vector ${index + 1}: its ${what} differs by ${difference.toExponential(1)}, more than ${tolerance}; ` +
          'write the vectors again if the model or its encoding was meant to change',
      );
    };
    const compare = (what: string, actual: number, expected: number): void => {
      const difference = Math.abs(actual - expected) / Math.max(1, Math.abs(expected));
      if (!(difference <= tolerance)) refuse(what, difference);
    };
    if (vector.rawOutput !== undefined) compare('raw output', scores[index]!.rawOutput, vector.rawOutput);
    if (vector.probability !== undefined) compare('probability', scores[index]!.probability!, vector.probability);
    if (vector.value !== undefined) compare('value', scores[index]!.quantity!, vector.value);
    features.forEach((feature, column) => {
      const expected = vector.contributions?.[feature.code];
      if (explained && expected !== undefined)
        compare(`SHAP value of "${feature.code}"`, explained[index]!.contributions[column]!, expected);
    });
  });
  return golden.length;
}
