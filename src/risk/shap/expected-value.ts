import type { TreeEnsemble } from '../tree-ensemble.js';
import { rawOutputs } from '../trees/route.js';
import { coverFraction, isLeaf, leafWeightOf } from './routing.js';

/** Computes the base value plus the cover-weighted mean leaf of every tree: [output]. */
export function expectedByCover(ensemble: TreeEnsemble, cover: Float64Array, outputs: readonly number[]): Float64Array {
  const meanLeaf = (node: number, output: number): number => {
    if (isLeaf(ensemble, node)) return leafWeightOf(ensemble, node, output);
    const children = [ensemble.trueChild[node]!, ensemble.falseChild[node]!];
    return children.reduce((sum, child) => sum + coverFraction(cover, node, child) * meanLeaf(child, output), 0);
  };
  return Float64Array.from(outputs, (output) =>
    ensemble.roots.reduce((sum, root) => sum + meanLeaf(root, output), ensemble.baseValues[output]!),
  );
}

/**
 * Computes the mean raw output over background rows: [output].
 * @param background in the precision of the model
 */
export function expectedByBackground(
  ensemble: TreeEnsemble,
  background: Float64Array,
  backgroundRows: number,
  outputs: readonly number[],
): Float64Array {
  const raw = rawOutputs(ensemble, background, backgroundRows);
  return Float64Array.from(outputs, (output) => {
    let sum = 0;
    for (let row = 0; row < backgroundRows; row++) sum += raw[row * ensemble.outputCount + output]!;
    return sum / backgroundRows;
  });
}
