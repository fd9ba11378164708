import { numberTypes } from '../onnx/number-types.js';
import { ElementType } from '../onnx/tensor-proto.js';

/** One column of a tensor, as a function of one input feature of the model. */
export interface Column {
  /** Index of the input feature. */
  readonly feature: number;
  /** Computes the column's value from the feature's, rounded as ONNX Runtime rounds. */
  readonly apply: (value: number) => number;
}

/** A tensor of shape [rows, columns.length]. */
export interface Columns {
  readonly elementType: number;
  readonly columns: readonly Column[];
}

export const identity = (value: number): number => value;

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

/** Returns the columns after one more step. `step` may differ by column. */
export function mapColumns(
  source: Columns,
  elementType: number,
  step: (index: number) => (value: number) => number,
): Columns {
  return {
    elementType,
    columns: source.columns.map((column, index) => {
      const next = step(index);
      return {
        feature: column.feature,
        apply: column.apply === identity ? next : (value: number): number => next(column.apply(value)),
      };
    }),
  };
}
