import type { Background } from '../../../src/risk/explainers.js';
import type { OnnxSession } from '../../../src/risk/onnx-session.js';
import type { ParsedModel } from '../../../src/risk/parse-model.js';
import { columnOfOutput } from '../../../src/risk/output-columns.js';

/** Returns the raw outputs of a row, computed from what the whole file gives; a softmax's up to one constant per row. */
function rawFromScores(model: ParsedModel, scores: ArrayLike<number>): number[] {
  return Array.from({ length: model.ensemble.outputCount }, (_, output) => {
    const column = columnOfOutput(model.columns, output)!;
    const value = (scores[model.columns.indexOf(column)]! - column.shift) / column.scale;
    const argument = column.arguments[column.place]!;
    const inverse = (): number => {
      switch (column.link) {
        case 'IDENTITY':
          return value;
        case 'LOGISTIC':
          return Math.log(value / (1 - value));
        case 'EXP':
        case 'SOFTMAX':
          return Math.log(value);
        default:
          throw new Error(`${column.link} has no inverse here`);
      }
    };
    return (inverse() - argument.shift) / argument.scale;
  });
}

/**
 * Computes interventional Shapley values of one row by their definition: every subset of features takes the row's
 * values, the others a background row's. Each mixed row goes through ONNX Runtime with the whole file.
 * @returns [output][feature]
 */
export async function shapleyByRuntime(
  model: ParsedModel,
  session: OnnxSession,
  row: Float64Array,
  background: Background,
): Promise<number[][]> {
  const width = model.featureCount;
  const subsets = 2 ** width;
  const rows = new Float64Array(subsets * background.rowCount * width);
  for (let subset = 0; subset < subsets; subset++)
    for (let other = 0; other < background.rowCount; other++)
      for (let feature = 0; feature < width; feature++)
        rows[(subset * background.rowCount + other) * width + feature] =
          subset & (1 << feature) ? row[feature]! : background.rows[other * width + feature]!;
  const scores = await session.run(rows, subsets * background.rowCount);
  const columns = scores.length / (subsets * background.rowCount);
  const means = Array.from({ length: subsets }, (_, subset) => {
    const sums = new Array<number>(model.ensemble.outputCount).fill(0);
    for (let other = 0; other < background.rowCount; other++) {
      const start = (subset * background.rowCount + other) * columns;
      rawFromScores(model, scores.subarray(start, start + columns)).forEach((raw, output) => (sums[output]! += raw));
    }
    return sums.map((sum) => sum / background.rowCount);
  });
  const factorial = (count: number): number => (count < 2 ? 1 : count * factorial(count - 1));
  return Array.from({ length: model.ensemble.outputCount }, (_, output) =>
    Array.from({ length: width }, (_item, feature) => {
      let value = 0;
      for (let subset = 0; subset < subsets; subset++) {
        if (subset & (1 << feature)) continue;
        const size = subset.toString(2).replaceAll('0', '').length;
        const weight = (factorial(size) * factorial(width - size - 1)) / factorial(width);
        value += weight * (means[subset | (1 << feature)]![output]! - means[subset]![output]!);
      }
      return value;
    }),
  );
}
