import { columnOfOutput, type LinkArgument, type OutputColumn } from './output-columns.js';
import type { ParsedModel } from './parse-model.js';

/**
 * Computes the model's output for one row of raw outputs, in float64. Links are those of ONNX Runtime 1.30. A column
 * that it leaves unwritten is NaN; no comparison can use it.
 * @param raw one value per raw output
 */
export function scoresFromRaw({ columns }: Pick<ParsedModel, 'columns'>, raw: ArrayLike<number>): number[] {
  const shares = new Map<readonly LinkArgument[], number[]>();
  return columns.map((column) => {
    let values = shares.get(column.arguments);
    if (!values) shares.set(column.arguments, (values = linkValues(column, raw)));
    return column.shift + column.scale * values[column.place]!;
  });
}

/** Returns the model's own probability of the class, or value, of raw output `output`: a column of its output. */
export function scoreOfOutput(
  { columns }: Pick<ParsedModel, 'columns'>,
  raw: ArrayLike<number>,
  output: number,
): number {
  const column = columnOfOutput(columns, output)!;
  return column.shift + column.scale * linkValues(column, raw)[column.place]!;
}

function linkValues({ link, arguments: list }: OutputColumn, raw: ArrayLike<number>): number[] {
  const values = list.map(({ output, scale, shift }) => (scale === 0 ? shift : shift + scale * raw[output]!));
  switch (link) {
    case 'IDENTITY':
      return values;
    case 'EXP':
      return values.map(Math.exp);
    case 'LOGISTIC':
      return values.map(logistic);
    case 'PROBIT':
      return values.map(probit);
    case 'SOFTMAX':
      return softmax(values);
    // ONNX Runtime multiplies values near 0 by exp(-max) and leaves them out of the sum.
    case 'SOFTMAX_ZERO':
      return softmax(values, (value) => Math.abs(value) > 1e-7);
    case 'UNWRITTEN':
      return values.map(() => Number.NaN);
  }
}

export function logistic(value: number): number {
  return value >= 0 ? 1 / (1 + Math.exp(-value)) : 1 - 1 / (1 + Math.exp(value));
}

export function softmax(values: readonly number[], counts: (value: number) => boolean = () => true): number[] {
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
