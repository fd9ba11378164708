import type { ParsedModel } from './parse-model.js';
import type { PostTransform } from './tree-ensemble.js';

/**
 * Computes the operator's scores for one row of raw outputs, in float64. Post transforms are those of ONNX Runtime
 * 1.30. A column that it leaves unwritten is NaN; no comparison can use it.
 * @param raw one value per output
 */
export function scoresFromRaw(model: ParsedModel, raw: ArrayLike<number>): number[] {
  const { postTransform } = model.ensemble;
  if (model.scoreLayout === 'SECOND_OF_TWO') return transform([0, raw[0]!], postTransform);
  if (model.scoreLayout === 'PLAIN') return transform(Array.from(raw), postTransform);
  const score = raw[0]!;
  if (postTransform === 'PROBIT') return [probit(score), Number.NaN];
  if (postTransform === 'LOGISTIC') return [logistic(-score), logistic(score)];
  return [model.weightsAllPositive ? 1 - score : -score, score];
}

/** Returns the model's own probability of the class, or value, of SHAP output `output`: a column of its scores. */
export function scoreOfOutput(model: ParsedModel, raw: ArrayLike<number>, output: number): number {
  const scores = scoresFromRaw(model, raw);
  if (model.scoreLayout === 'PLAIN') return scores[output]!;
  // With PROBIT only the first column is written. It belongs to the second label.
  return Number.isNaN(scores[1]) ? scores[0]! : scores[1]!;
}

export function logistic(value: number): number {
  return value >= 0 ? 1 / (1 + Math.exp(-value)) : 1 - 1 / (1 + Math.exp(value));
}

function transform(values: number[], postTransform: PostTransform): number[] {
  switch (postTransform) {
    case 'LOGISTIC':
      return values.map(logistic);
    case 'SOFTMAX':
      return softmax(values, () => true);
    // ONNX Runtime multiplies values near 0 by exp(-max) and leaves them out of the sum.
    case 'SOFTMAX_ZERO':
      return softmax(values, (value) => Math.abs(value) > 1e-7);
    case 'PROBIT':
      return values.map(probit);
    case 'NONE':
      return values;
  }
}

function softmax(values: readonly number[], counts: (value: number) => boolean): number[] {
  const largest = Math.max(...values);
  const powers = values.map((value) => (counts(value) ? Math.exp(value - largest) : value * Math.exp(-largest)));
  const sum = powers.reduce((total, power, index) => total + (counts(values[index]!) ? power : 0), 0);
  return powers.map((power) => power / sum);
}

/** Computes Winitzki's approximation of the inverse error function, with ONNX Runtime's constants. */
function probit(value: number): number {
  const x = 2 * value - 1;
  const logarithm = Math.log((1 - x) * (1 + x));
  const half = 2 / (3.14159 * 0.147) + 0.5 * logarithm;
  return Math.SQRT2 * (x < 0 ? -1 : 1) * Math.sqrt(-half + Math.sqrt(half * half - logarithm / 0.147));
}
