import { UnexplainableModelError } from '../errors.js';
import { columnOfOutput, type LinkArgument, type OutputColumn } from '../output-columns.js';
import type { TreeFunction } from './tree-functions.js';
import { affineSum, isConstant, sameOrOpposite, type TreeSum } from './tree-sums.js';

/** The sums that SHAP values explain, and the columns of the model's output over them. */
interface RawOutputs {
  readonly sums: readonly TreeSum[];
  readonly columns: readonly OutputColumn[];
}

/**
 * Finds the raw outputs of columns. Each different sum is one. Of a sum and its opposite (the two classes of a binary
 * model) only the later one is kept, so that it belongs to the second label.
 * @throws UnexplainableModelError when no column rises with an output
 */
export function rawOutputsOf(columns: readonly TreeFunction[]): RawOutputs {
  const found: TreeSum[] = [];
  const shared = new Map<readonly TreeSum[], LinkArgument[]>();
  const argument = (sum: TreeSum): LinkArgument => {
    if (isConstant(sum)) return { output: 0, scale: 0, shift: sum.offset };
    for (const [output, other] of found.entries()) {
      const scale = sameOrOpposite(sum, other);
      if (scale) return { output, scale, shift: sum.offset - scale * other.offset };
    }
    return { output: found.push(sum) - 1, scale: 1, shift: 0 };
  };
  // From the last column to the first, so that the later of two opposite sums is found first.
  const read = columns.toReversed().map((column): OutputColumn => {
    const { of, link, place, scale, shift } = factorInSum(column);
    const known = shared.get(of);
    const linkArguments = known ?? of.toReversed().map(argument).reverse();
    shared.set(of, linkArguments);
    return { link, arguments: linkArguments, place, scale, shift };
  });
  const last = found.length - 1;
  for (const linkArguments of shared.values())
    linkArguments.forEach((entry, index) => {
      linkArguments[index] = { ...entry, output: entry.scale === 0 ? 0 : last - entry.output };
    });
  const result = { sums: found.reverse(), columns: read.reverse() };
  if (result.sums.some((_, output) => !columnOfOutput(result.columns, output)))
    throw new UnexplainableModelError(
      'ONNX file',
      'its output falls where the sum of the trees rises',
      'export the model without the change of sign after the trees',
    );
  return result;
}

/** Moves the factor of an exponential into its sum: then the raw output is the logarithm of the value itself. */
function factorInSum(column: TreeFunction): TreeFunction {
  if (column.link !== 'EXP' || column.scale <= 0 || column.shift !== 0) return column;
  return { ...column, of: [affineSum(column.of[0]!, 1, Math.log(column.scale))], scale: 1 };
}
