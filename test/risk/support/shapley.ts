import type { OnnxSession } from '../../../src/risk/onnx-session.js';

/**
 * Shapley values by their definition, over all subsets of features. The game is the output of ONNX Runtime itself, as a
 * mean over the background rows.
 */
export async function shapleyByDefinition(
  session: OnnxSession,
  row: Float64Array,
  background: Float64Array,
  backgroundRows: number,
): Promise<number[]> {
  const width = row.length;
  const worth: number[] = [];
  for (let subset = 0; subset < 2 ** width; subset++) {
    const mixed = Float64Array.from({ length: backgroundRows * width }, (_, place) =>
      subset & (1 << (place % width)) ? row[place % width]! : background[place]!,
    );
    worth.push((await session.run(mixed, backgroundRows)).reduce((sum, value) => sum + value, 0) / backgroundRows);
  }
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  const size = (subset: number): number => subset.toString(2).replaceAll('0', '').length;
  return Array.from({ length: width }, (_, feature) =>
    worth.reduce((sum, value, subset) => {
      if (subset & (1 << feature)) return sum;
      return (
        sum +
        ((factorial(size(subset)) * factorial(width - size(subset) - 1)) / factorial(width)) *
          (worth[subset | (1 << feature)]! - value)
      );
    }, 0),
  );
}
