import { numberTypes } from '../onnx/number-types.js';
import { ElementType } from '../onnx/tensor-proto.js';

/** One column of a tensor, as a function of one input feature of the model. */
export interface Column {
  /** Index of the input feature; `noFeature` when the column is constant. */
  readonly feature: number;
  /** Computes the column's value from the feature's, rounded as ONNX Runtime rounds. */
  readonly apply: (value: number) => number;
  /** Values of the feature around which the column changes: categories, bin edges, bounds. */
  readonly landmarks: readonly number[];
  /** True behind Log, Exp and the like: ONNX Runtime's result may differ in the last bits. */
  readonly approximate: boolean;
}

/** The feature of a column that depends on none. */
export const noFeature = -1;

/**
 * A tensor whose first axis is the rows. The columns are the other axes' entries in row-major order. A text is the
 * index that `FeatureLimits` gave it.
 */
export interface Columns {
  readonly elementType: number;
  /** Lengths of the axes after the rows: [columns] for a matrix, [] for one value per row. */
  readonly dims: readonly number[];
  readonly columns: readonly Column[];
  /** True for a vector of features that is one row, without an axis of rows. */
  readonly rowless?: boolean;
}

export const identity = (value: number): number => value;

export const sizeOf = (dims: readonly number[]): number => dims.reduce((product, length) => product * length, 1);

export function constantColumn(value: number): Column {
  return { feature: noFeature, apply: () => value, landmarks: [], approximate: false };
}

/** Returns a function that rounds the exact result of an operation to the tensor's type. */
export function rounder(elementType: number): (value: number) => number {
  if (elementType === ElementType.FLOAT) return Math.fround;
  if (elementType === ElementType.FLOAT16) return numberTypes.get(elementType)!.round;
  return numberTypes.get(elementType)?.whole ? Math.trunc : identity;
}

/**
 * Returns the conversion of the Cast operator. NaN and values too large for an integer become its smallest, as on
 * x86-64.
 */
export function caster(elementType: number): ((value: number) => number) | undefined {
  switch (elementType) {
    case ElementType.FLOAT:
      return Math.fround;
    case ElementType.DOUBLE:
      return identity;
    case ElementType.INT64:
      return (value) => (Math.abs(value) < 2 ** 63 ? Math.trunc(value) : -(2 ** 63));
    case ElementType.INT32:
      return (value) => (Math.abs(value) < 2 ** 31 ? Math.trunc(value) : -(2 ** 31));
    case ElementType.BOOL:
    case ElementType.FLOAT16:
      return numberTypes.get(elementType)!.round;
    default:
      return undefined;
  }
}

/** Returns a column after one more step. */
export function nextColumn(column: Column, step: (value: number) => number, changes: Partial<Column> = {}): Column {
  const { apply } = column;
  return { ...column, apply: apply === identity ? step : (value: number): number => step(apply(value)), ...changes };
}

/** Returns the columns after one more step. `step` may differ by column. */
export function mapColumns(
  source: Columns,
  elementType: number,
  step: (index: number) => (value: number) => number,
): Columns {
  return { ...source, elementType, columns: source.columns.map((column, index) => nextColumn(column, step(index))) };
}

/** Returns the column's landmarks with those values of its feature at which it has one of the given values. */
export function withLandmarks(column: Column, values: Iterable<number>): readonly number[] {
  const found = new Set(column.landmarks);
  for (const value of values) {
    if (found.size >= mostLandmarks) break;
    const at = sourceOf(column, value);
    if (at !== undefined) found.add(at);
  }
  return [...found];
}

/** The maximum number of landmarks of a column. They only serve to make probe rows. */
const mostLandmarks = 10_000;

/** Finds a value of the feature at which the column is near `value`: itself, or by a straight line. */
export function sourceOf({ apply, feature }: Column, value: number): number | undefined {
  if (feature === noFeature || !Number.isFinite(value)) return undefined;
  if (apply(value) === value) return value;
  const origin = apply(0);
  const guess = (value - origin) / (apply(1) - origin);
  return Number.isFinite(guess) ? guess : undefined;
}

/** Makes a column of several columns of one feature; undefined when they are of different features. */
export function combined(parts: readonly Column[], operate: (values: readonly number[]) => number): Column | undefined {
  const features = new Set(parts.map(({ feature }) => feature).filter((feature) => feature !== noFeature));
  if (features.size > 1) return undefined;
  const [feature = noFeature] = features;
  if (feature === noFeature) return constantColumn(operate(parts.map(({ apply }) => apply(0))));
  return {
    feature,
    apply: (value) => operate(parts.map(({ apply }) => apply(value))),
    landmarks: [...new Set(parts.flatMap(({ landmarks }) => landmarks))].slice(0, mostLandmarks),
    approximate: parts.some(({ approximate }) => approximate),
  };
}
