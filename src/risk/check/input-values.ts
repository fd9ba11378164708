import { ElementType } from '../onnx/tensor-proto.js';
import type { ParsedModel } from '../parse-model.js';
import { nextFloat } from './float-step.js';

/** The values that an input feature can take, and its thresholds before Scaler and similar operators. */
export interface InputFeature {
  /** True when the input is of integers, which cannot be missing. */
  readonly integer: boolean;
  /** True when only whole numbers have a meaning. */
  readonly whole: boolean;
  readonly precision: 32 | 64;
  /** Lowest and highest value that the trees can distinguish, as input values. */
  readonly low: number;
  readonly high: number;
}

/** @returns one entry per feature */
export function inputFeatures(model: ParsedModel): InputFeature[] {
  const types = model.inputs.flatMap((input) => input.columns.columns.map(() => input.elementType));
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
    const integer = type === ElementType.INT64 || type === ElementType.INT32;
    const bounds =
      low[column]! <= high[column]!
        ? [towards(model, column, low[column]!), towards(model, column, high[column]!)]
        : [0, 1];
    return {
      integer,
      whole: integer || model.wholeFeatures.has(column),
      precision: type === ElementType.DOUBLE ? 64 : 32,
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
    return [Math.floor(value) - 1, Math.floor(value), Math.floor(value) + 1].map((whole) => clampInteger(whole));
  const on = input.precision === 32 ? Math.fround(value) : value;
  return [nextFloat(on, false, input.precision), on, nextFloat(on, true, input.precision)];
}

/** Returns values at the ends of the type. Comparisons and sums fail there first. */
export function extremes(input: InputFeature): number[] {
  if (input.whole) return [0, -1, 1, 2 ** 31 - 1, -(2 ** 31)];
  const largest = input.precision === 32 ? 3.4028234663852886e38 : Number.MAX_VALUE;
  const smallest = input.precision === 32 ? 2 ** -149 : Number.MIN_VALUE;
  return [0, -0, largest, -largest, Infinity, -Infinity, smallest, -smallest, 1e30, -1e30];
}

function clampInteger(value: number): number {
  return Math.min(2 ** 31 - 1, Math.max(-(2 ** 31), value));
}
