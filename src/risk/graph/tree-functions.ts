import type { Link } from '../output-columns.js';
import { addSums, affineSum, constantSum, isConstant, rangeOfSum, sameOrOpposite, type TreeSum } from './tree-sums.js';

/**
 * A number per row that is a function of sums of trees: shift + scale x link(sums)[place].
 * With the link IDENTITY, scale is 1 and shift is 0: they are part of the sum.
 */
export interface TreeFunction {
  readonly link: Link;
  /** One sum; several for a softmax. Columns of one softmax share the list. */
  readonly of: readonly TreeSum[];
  readonly place: number;
  readonly scale: number;
  readonly shift: number;
}

export function linear(sum: TreeSum): TreeFunction {
  return { link: 'IDENTITY', of: [sum], place: 0, scale: 1, shift: 0 };
}

export function linked(link: Link, of: readonly TreeSum[], place = 0): TreeFunction {
  return { link, of, place, scale: 1, shift: 0 };
}

/** Returns the sum of a function without a link; undefined when a link follows the trees. */
export function sumOf(value: TreeFunction): TreeSum | undefined {
  return value.link === 'IDENTITY' ? value.of[0] : undefined;
}

/** Returns the number when the function is the same for every row. */
export function constantOf(value: TreeFunction): number | undefined {
  const sum = sumOf(value);
  return sum && isConstant(sum) ? sum.offset : undefined;
}

/** Computes factor x value + shift. */
export function affine(value: TreeFunction, factor: number, shift: number): TreeFunction {
  const sum = sumOf(value);
  if (sum) return linear(affineSum(sum, factor, shift));
  if (factor === 0) return linear(constantSum(shift));
  return { ...value, scale: factor * value.scale, shift: factor * value.shift + shift };
}

/** Adds two functions; undefined when the result is no function of one sum: both have links, and of different sums. */
export function add(left: TreeFunction, right: TreeFunction): TreeFunction | undefined {
  const sums = [sumOf(left), sumOf(right)];
  if (sums[0] && sums[1]) return linear(addSums(sums[0], sums[1]));
  const constants = [constantOf(left), constantOf(right)];
  if (constants[0] !== undefined) return affine(right, 1, constants[0]);
  if (constants[1] !== undefined) return affine(left, 1, constants[1]);
  if (left.link !== right.link || left.place !== right.place || !sameSums(left.of, right.of)) return undefined;
  const scale = left.scale + right.scale;
  const shift = left.shift + right.shift;
  return scale === 0 ? linear(constantSum(shift)) : { ...left, scale, shift };
}

/** Computes e to the power of a sum. */
export function exponential(value: TreeFunction): TreeFunction | undefined {
  const sum = sumOf(value);
  return sum && linked('EXP', [sum]);
}

export function sigmoid(value: TreeFunction): TreeFunction | undefined {
  const sum = sumOf(value);
  return sum && linked('LOGISTIC', [sum]);
}

/** Computes numerator / value. Exporters write the sigmoid as 1 / (1 + exp(-x)). */
export function quotient(numerator: number, value: TreeFunction): TreeFunction | undefined {
  const { link, of, scale, shift } = value;
  if (link !== 'EXP' || scale <= 0 || shift <= 0) return undefined;
  const sum = affineSum(of[0]!, -1, -Math.log(scale / shift));
  return affine(linked('LOGISTIC', [sum]), numerator / shift, 0);
}

/** Returns bounds of a function's values. */
export function rangeOf(value: TreeFunction): { low: number; high: number } {
  const sum = sumOf(value);
  if (sum) return rangeOfSum(sum);
  const low = value.link === 'PROBIT' ? -Infinity : 0;
  const high = value.link === 'PROBIT' || value.link === 'EXP' ? Infinity : 1;
  const ends = [value.shift + value.scale * low, value.shift + value.scale * high];
  return { low: Math.min(...ends), high: Math.max(...ends) };
}

/** Tells whether the functions are never below 0 and always add up to 1, but for what float32 loses. */
export function areShares(values: readonly TreeFunction[]): boolean {
  const [first] = values;
  if (
    first &&
    first.link === 'SOFTMAX' &&
    values.length === first.of.length &&
    values.every(
      (value, place) => value.of === first.of && value.place === place && value.scale === 1 && value.shift === 0,
    )
  )
    return true;
  if (values.some((value) => rangeOf(value).low < -lost)) return false;
  const total = values.reduce<TreeFunction | undefined>((sum, value) => sum && add(sum, value), linear(constantSum(0)));
  if (!total || !sumOf(total)) return false;
  const { low, high } = rangeOf(total);
  return Math.abs(low - 1) < lost && Math.abs(high - 1) < lost;
}

/** The share of a sum that float32 may lose to rounding. */
const lost = 1e-5;

function sameSums(left: readonly TreeSum[], right: readonly TreeSum[]): boolean {
  if (left === right) return true;
  return (
    left.length === right.length &&
    left.every((sum, index) => sum.offset === right[index]!.offset && sameOrOpposite(sum, right[index]!) === 1)
  );
}
