import { NodeMode, type TreeEnsemble } from '../tree-ensemble.js';

/**
 * Tells whether a value goes to the true child of a branch, exactly as in ONNX Runtime. The mode's comparison decides.
 * NaN also goes there when the node tracks missing values. With precision 32 the value must already be a float32.
 */
export function goesTrue(ensemble: TreeEnsemble, node: number, value: number): boolean {
  const threshold = ensemble.threshold[node]!;
  if (ensemble.missingTracksTrue[node] === 1 && Number.isNaN(value)) return true;
  switch (ensemble.mode[node]) {
    case NodeMode.LEQ:
      return value <= threshold;
    case NodeMode.LT:
      return value < threshold;
    case NodeMode.GTE:
      return value >= threshold;
    case NodeMode.GT:
      return value > threshold;
    case NodeMode.EQ:
      return value === threshold;
    default:
      return value !== threshold;
  }
}

/** Finds the index of the leaf that a row reaches from a root. The row starts at `offset` of `rows`. */
function findLeaf(ensemble: TreeEnsemble, root: number, rows: Float64Array, offset: number): number {
  const { mode, feature, threshold, trueChild, falseChild } = ensemble;
  let node = root;
  for (;;) {
    const comparison = mode[node];
    if (comparison === NodeMode.LEAF) return node;
    const value = rows[offset + feature[node]!]!;
    // Nearly all nodes are LEQ or LT and nearly no value is NaN.
    const yes = Number.isNaN(value)
      ? goesTrue(ensemble, node, value)
      : comparison === NodeMode.LEQ
        ? value <= threshold[node]!
        : comparison === NodeMode.LT
          ? value < threshold[node]!
          : goesTrue(ensemble, node, value);
    node = yes ? trueChild[node]! : falseChild[node]!;
  }
}

/**
 * Computes raw outputs (before the post transform), summed in float64 in the order of the trees.
 * @param rows row-major, rowCount x featureCount, as the trees compare them (float32 values with precision 32)
 * @returns row-major, rowCount x outputCount
 */
export function rawOutputs(ensemble: TreeEnsemble, rows: Float64Array, rowCount: number): Float64Array {
  const { featureCount, outputCount, roots, leafStart, leafOutput, leafWeight, baseValues } = ensemble;
  const raw = new Float64Array(rowCount * outputCount);
  for (let row = 0; row < rowCount; row++) raw.set(baseValues, row * outputCount);
  // The outer loop is over trees: a tree stays in the cache while all rows pass through it.
  for (const root of roots) {
    for (let row = 0; row < rowCount; row++) {
      const leaf = findLeaf(ensemble, root, rows, row * featureCount);
      const end = leafStart[leaf + 1]!;
      for (let entry = leafStart[leaf]!; entry < end; entry++)
        raw[row * outputCount + leafOutput[entry]!]! += leafWeight[entry]!;
    }
  }
  return raw;
}
