import { featureTypes } from '../graph/model-inputs.js';
import type { ParsedModel } from '../parse-model.js';
import { nextFloat, roundTo } from './float-step.js';

/** The values that an input feature can take, and its thresholds before Scaler and similar operators. */
export interface InputFeature {
  /** True when the input is of integers, which cannot be missing. */
  readonly integer: boolean;
  /** True when only whole numbers have a meaning. */
  readonly whole: boolean;
  readonly precision: 16 | 32 | 64;
  /** The smallest and largest finite value of the type; a 64-bit integer stays within 32 bits. */
  readonly least: number;
  readonly most: number;
  /** Lowest and highest value that the trees can distinguish, as input values. */
  readonly low: number;
  readonly high: number;
}

/** @returns one entry per feature */
export function inputFeatures(model: ParsedModel): InputFeature[] {
  const types = featureTypes(model.inputs);
  const low = new Float64Array(model.featureCount).fill(Infinity);
  const high = new Float64Array(model.featureCount).fill(-Infinity);
  const { trueChild, feature, threshold } = model.ensemble;
  threshold.forEach((value, node) => {
    if (trueChild[node]! < 0 || !Number.isFinite(value)) return;
    const column = feature[node]!;
    low[column] = Math.min(low[column]!, value);
    high[column] = Math.max(high[column]!, value);
  });
  return types.map((type, column) => {
    const bounds =
      low[column]! <= high[column]!
        ? [towards(model, column, low[column]!), towards(model, column, high[column]!)]
        : [0, 1];
    return {
      integer: type.whole,
      whole: type.whole || model.wholeFeatures.has(column),
      precision: type.name === 'float64' ? 64 : type.name === 'float16' ? 16 : 32,
      least: type.whole ? Math.max(type.least, -(2 ** 31)) : type.least,
      most: type.whole ? Math.min(type.most, 2 ** 31 - 1) : type.most,
      low: Math.min(...bounds),
      high: Math.max(...bounds),
    };
  });
}

/**
 * Finds an input value that the steps before the trees turn into `target`, or nearly. It is exact without such steps.
 */
export function towards(model: ParsedModel, feature: number, target: number): number {
  const step = model.steps[feature]!;
  if (step(target) === target) return target;
  const origin = step(0);
  const slope = step(1) - origin;
  const guess = (target - origin) / slope;
  return Number.isFinite(guess) ? guess : target;
}

/** Returns the value of a threshold and its two neighbours, in the type of the input. */
export function aroundThreshold(input: InputFeature, value: number): number[] {
  if (input.whole)
    return [Math.floor(value) - 1, Math.floor(value), Math.floor(value) + 1].map((whole) => clamped(input, whole));
  const on = roundTo(input.precision, value);
  return [nextFloat(on, false, input.precision), on, nextFloat(on, true, input.precision)];
}

/** Returns values at the ends of the type. Comparisons and sums fail there first. */
export function extremes(input: InputFeature): number[] {
  const { least, most, precision } = input;
  if (input.whole) return [0, -1, 1, most, least].map((value) => clamped(input, value));
  const smallest = nextFloat(0, true, precision);
  const large = precision === 16 ? 1e4 : 1e30;
  return [0, -0, most, least, Infinity, -Infinity, smallest, -smallest, large, -large];
}

/** Limits a number to the values of the input's type. */
export function clamped({ least, most }: InputFeature, value: number): number {
  return Math.min(most, Math.max(least, value));
}
