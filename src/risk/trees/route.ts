import { NodeMode, type TreeEnsemble } from '../tree-ensemble.js';

/**
 * Whether a value goes to the true child of a branch, exactly as in ONNX Runtime: the comparison of the mode, and NaN goes
 * there too when the node tracks missing values. With precision 32 the value must already be a float32.
 */
export function goesTrue(ensemble: TreeEnsemble, node: number, value: number): boolean {
  const threshold = ensemble.threshold[node]!;
  if (ensemble.missingTracksTrue[node] === 1 && Number.isNaN(value)) return true;
  switch (ensemble.mode[node]) {
    case NodeMode.LEQ: return value <= threshold;
    case NodeMode.LT: return value < threshold;
    case NodeMode.GTE: return value >= threshold;
    case NodeMode.GT: return value > threshold;
    case NodeMode.EQ: return value === threshold;
    default: return value !== threshold;
  }
}

/** Index of the leaf that a row reaches from a root. `row` starts at `offset` of a row-major array. */
export function findLeaf(ensemble: TreeEnsemble, root: number, rows: ArrayLike<number>, offset: number): number {
  let node = root;
  while (ensemble.mode[node] !== NodeMode.LEAF) {
    node = goesTrue(ensemble, node, rows[offset + ensemble.feature[node]!]!) ? ensemble.trueChild[node]! : ensemble.falseChild[node]!;
  }
  return node;
}

/**
 * Raw outputs (before the post transform), summed in float64.
 * @param rows row-major, rowCount x featureCount, as the trees compare them (float32 values with precision 32)
 * @returns row-major, rowCount x outputCount
 */
export function rawOutputs(ensemble: TreeEnsemble, rows: ArrayLike<number>, rowCount: number): Float64Array {
  const { featureCount, outputCount, roots, leafStart, leafOutput, leafWeight, baseValues } = ensemble;
  const raw = new Float64Array(rowCount * outputCount);
  for (let row = 0; row < rowCount; row++) {
    const place = row * outputCount;
    raw.set(baseValues, place);
    for (let tree = 0; tree < roots.length; tree++) {
      const leaf = findLeaf(ensemble, roots[tree]!, rows, row * featureCount);
      for (let entry = leafStart[leaf]!; entry < leafStart[leaf + 1]!; entry++) raw[place + leafOutput[entry]!]! += leafWeight[entry]!;
    }
  }
  return raw;
}
