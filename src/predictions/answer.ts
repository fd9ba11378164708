import type { Prediction } from '../../models/index.js';
import type { RiskModelManifest } from '../risk/manifest.js';
import type { ClassScores } from '../risk/risk-model.js';

/** The answer of a model as it is stored: a probability, or a quantity. */
export function answerOf(
  { quantity }: RiskModelManifest,
  answer: number,
): Pick<Prediction, 'probability' | 'quantity'> {
  return quantity ? { quantity: answer } : { probability: answer };
}

/** The unit of a model's answer as it is stored. A probability has none. */
export function unitOf({ quantity }: RiskModelManifest): Pick<Prediction, 'unit'> {
  return quantity ? { unit: quantity.unit } : {};
}

/** The scores of a model's classes as they are stored. A model without classes has none. */
export function classesOf(
  { classes: names }: RiskModelManifest,
  classes: ClassScores | undefined,
): Pick<Prediction, 'classes'> {
  if (!names || !classes) return {};
  const { rawOutputs, probabilities } = classes;
  return {
    classes: names.map((name, place) => ({
      name,
      rawOutput: rawOutputs[place]!,
      probability: probabilities[place]!,
    })),
  };
}
