import { NodeMode, type TreeEnsemble } from '../tree-ensemble.js';

export function isLeaf(ensemble: TreeEnsemble, node: number): boolean {
  return ensemble.mode[node] === NodeMode.LEAF;
}

/** A copy of `values` as the model compares them. */
export function toPrecision(ensemble: TreeEnsemble, values: Float64Array): Float64Array {
  return ensemble.precision === 32 ? values.map(Math.fround) : values.slice();
}

/** Weight of a leaf for one output; 0 where the file gives none, summed where it gives several. */
export function leafWeightOf(ensemble: TreeEnsemble, leaf: number, output: number): number {
  let weight = 0;
  for (let entry = ensemble.leafStart[leaf]!; entry < ensemble.leafStart[leaf + 1]!; entry++) {
    if (ensemble.leafOutput[entry] === output) weight += ensemble.leafWeight[entry]!;
  }
  return weight;
}

/**
 * Share of a node's training weight that went to the child: the child's cover over the node's own, as `shap` has it
 * (the children of boosted trees need not sum to their parent exactly). A node that no row reached splits evenly, so
 * that the expected value stays defined. A row that lands there by its own values is still explained additively.
 */
export function coverFraction(cover: Float64Array, node: number, child: number): number {
  const parent = cover[node]!;
  return parent > 0 ? cover[child]! / parent : 0.5;
}
