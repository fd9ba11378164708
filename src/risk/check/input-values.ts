import { featureTypes } from '../graph/model-inputs.js';
import type { ComparedColumn } from '../graph/compared-columns.js';
import type { ParsedModel } from '../parse-model.js';
import { nextFloat, roundTo } from './float-step.js';

/** The values that an input feature can take, and its thresholds before Scaler and similar operators. */
export interface InputFeature {
  /** True when the feature must have a value: its input is of integers or text, or an operator fails on NaN. */
  readonly present: boolean;
  /** True when infinities must not be sent. */
  readonly finite: boolean;
  /** True when only whole numbers have a meaning. */
  readonly whole: boolean;
  readonly precision: 16 | 32 | 64;
  /** The smallest and largest finite value of the type; a 64-bit integer stays within 32 bits. */
  readonly least: number;
  readonly most: number;
  /** Lowest and highest value that the trees can distinguish, as input values. */
  readonly low: number;
  readonly high: number;
  /** Values around which its columns change: categories, bin edges. Empty for a feature that trees compare as it is. */
  readonly landmarks: readonly number[];
  /** The only values that may be sent; undefined without such a limit. */
  readonly allowed?: readonly number[];
}

/** @returns one entry per feature */
export function inputFeatures(model: ParsedModel): InputFeature[] {
  const { comparedColumns: columns, limits } = model;
  const low = new Float64Array(model.featureCount).fill(Infinity);
  const high = new Float64Array(model.featureCount).fill(-Infinity);
  const landmarks = Array.from({ length: model.featureCount }, () => new Set<number>());
  const extend = (feature: number, value: number): void => {
    low[feature] = Math.min(low[feature]!, value);
    high[feature] = Math.max(high[feature]!, value);
  };
  for (const column of columns)
    for (const value of column.landmarks) {
      if (Number.isFinite(value)) landmarks[column.feature]!.add(value);
    }
  rangeOf(model).forEach(([lowest, highest], column) => {
    if (lowest > highest) return;
    const { feature } = columns[column]!;
    if (landmarks[feature]!.size > 0) landmarks[feature]!.forEach((value) => extend(feature, value));
    for (const threshold of [lowest, highest]) extend(feature, towards(columns[column]!, threshold));
  });
  return featureTypes(model.inputs).map((type, feature) => {
    const text = type.name === 'string';
    const allowed = limits.allowed.get(feature) ?? (text ? [...limits.texts.keys(), limits.texts.length] : undefined);
    const known = low[feature]! <= high[feature]!;
    return {
      present: type.whole || limits.present.has(feature),
      finite: limits.finite.has(feature),
      whole: type.whole || model.wholeFeatures.has(feature),
      precision: type.name === 'float64' ? 64 : type.name === 'float16' ? 16 : 32,
      least: type.whole ? Math.max(type.least, -(2 ** 31)) : type.least,
      most: type.whole ? Math.min(type.most, 2 ** 31 - 1) : type.most,
      low: known ? low[feature]! : 0,
      high: known ? high[feature]! : 1,
      landmarks: [...landmarks[feature]!],
      ...(allowed ? { allowed } : {}),
    };
  });
}

/** Returns the lowest and the highest threshold of each column. */
function rangeOf({ ensemble }: ParsedModel): [number, number][] {
  const ranges = Array.from({ length: ensemble.featureCount }, (): [number, number] => [Infinity, -Infinity]);
  const { trueChild, feature, threshold } = ensemble;
  threshold.forEach((value, node) => {
    if (trueChild[node]! < 0 || !Number.isFinite(value)) return;
    const range = ranges[feature[node]!]!;
    range[0] = Math.min(range[0], value);
    range[1] = Math.max(range[1], value);
  });
  return ranges;
}

/**
 * Finds an input value that the steps before the trees turn into `target`, or nearly. It is exact without such steps.
 */
export function towards({ step }: ComparedColumn, target: number): number {
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
export function extremes(input: InputFeature): readonly number[] {
  const { least, most, precision, allowed } = input;
  if (allowed) return allowed;
  if (input.whole) return [0, -1, 1, most, least].map((value) => clamped(input, value));
  const smallest = nextFloat(0, true, precision);
  const large = precision === 16 ? 1e4 : 1e30;
  const infinities = input.finite ? [] : [Infinity, -Infinity];
  return [0, -0, most, least, ...infinities, smallest, -smallest, large, -large];
}

/** Limits a number to the values of the input's type. */
export function clamped({ least, most }: InputFeature, value: number): number {
  return Math.min(most, Math.max(least, value));
}

/** A random value, over and beyond the range that the trees can distinguish. */
export function randomValue(feature: InputFeature, random: () => number): number {
  const spread = feature.high - feature.low || 1;
  const value = feature.low - 0.1 * spread + random() * 1.2 * spread;
  return feature.whole ? Math.round(clamped(feature, value)) : roundTo(feature.precision, value);
}
