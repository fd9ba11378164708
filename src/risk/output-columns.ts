/**
 * A function from sums of trees to a value of the model's output.
 * - IDENTITY: the sum itself.
 * - EXP: e to the power of the sum (counts, durations, costs).
 * - LOGISTIC: 1 / (1 + exp(-sum)).
 * - SOFTMAX, SOFTMAX_ZERO: of several sums, as ONNX Runtime computes them.
 * - PROBIT: ONNX Runtime's approximation.
 * - UNWRITTEN: ONNX Runtime leaves the value unwritten.
 */
export type Link = 'IDENTITY' | 'EXP' | 'LOGISTIC' | 'SOFTMAX' | 'SOFTMAX_ZERO' | 'PROBIT' | 'UNWRITTEN';

/** An argument of a link: shift + scale x raw output. Scale 0: a constant. */
export interface LinkArgument {
  readonly output: number;
  readonly scale: number;
  readonly shift: number;
}

/** One column of the tensor that the model gives out: shift + scale x link(arguments)[place]. */
export interface OutputColumn {
  readonly link: Link;
  readonly arguments: readonly LinkArgument[];
  readonly place: number;
  readonly scale: number;
  readonly shift: number;
}

/**
 * Returns the column that belongs to a raw output: it rises with the output. For a binary classifier it is the
 * probability of the second label.
 */
export function columnOfOutput(columns: readonly OutputColumn[], output: number): OutputColumn | undefined {
  return columns.findLast((column) => {
    const argument = column.arguments[column.place]!;
    return column.link !== 'UNWRITTEN' && argument.output === output && argument.scale * column.scale > 0;
  });
}
