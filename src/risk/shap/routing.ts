import { NodeMode, type TreeEnsemble } from '../tree-ensemble.js';

export function isLeaf(ensemble: TreeEnsemble, node: number): boolean {
  return ensemble.mode[node] === NodeMode.LEAF;
}

/** Copies `values` in the precision in which the model compares. */
export function toPrecision(ensemble: TreeEnsemble, values: Float64Array): Float64Array {
  return ensemble.precision === 32 ? values.map(Math.fround) : values.slice();
}

/** Returns the weight of a leaf for one output: 0 when the file gives none, the sum when it gives several. */
export function leafWeightOf(ensemble: TreeEnsemble, leaf: number, output: number): number {
  let weight = 0;
  for (let entry = ensemble.leafStart[leaf]!; entry < ensemble.leafStart[leaf + 1]!; entry++) {
    if (ensemble.leafOutput[entry] === output) weight += ensemble.leafWeight[entry]!;
  }
  return weight;
}

/**
 * Returns the share of a node's training weight that went to the child: the child's cover divided by the node's own.
 * The Python package `shap` does the same (the children of boosted trees need not sum to their parent exactly). A node
 * that no row reached splits evenly, so that the expected value stays defined. For a row that gets there, the values
 * still add up.
 */
export function coverFraction(cover: Float64Array, node: number, child: number): number {
  const parent = cover[node]!;
  return parent > 0 ? cover[child]! / parent : 0.5;
}
