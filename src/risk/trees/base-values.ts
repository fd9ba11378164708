import type { NodeAttributes } from '../onnx/node-attributes.js';
import { NodeMode } from '../tree-ensemble.js';
import type { NodeTable } from './node-table.js';

/**
 * Requires that every row gets the base value of every output. With several targets, or two classes, ONNX Runtime leaves
 * it out for a row none of whose leaves has a weight for the output. One tree suffices whose every leaf has one.
 * @param baseValues one per output
 * @throws InvalidModelError naming the first output that may lose its base value
 */
export function requireBaseValues(
  attributes: NodeAttributes,
  table: NodeTable,
  baseValues: Float64Array,
  output: 'target' | 'class',
): void {
  if (baseValues.length < 2) return;
  const sure = new Uint8Array(baseValues.length);
  table.roots.forEach((root, tree) => {
    const weighted = new Uint32Array(baseValues.length);
    let leaves = 0;
    for (let node = root; node < (table.roots[tree + 1] ?? table.mode.length); node++) {
      if (table.mode[node] !== NodeMode.LEAF) continue;
      leaves++;
      const targets = table.weightOutput.subarray(table.weightStart[node], table.weightStart[node + 1]);
      for (const target of new Set(targets)) weighted[target]!++;
    }
    weighted.forEach((count, target) => {
      if (count === leaves) sure[target] = 1;
    });
  });
  const lost = baseValues.findIndex((value, target) => value !== 0 && sure[target] === 0);
  if (lost >= 0)
    throw attributes.refuse(
      `a row may reach no leaf with a weight for ${output} ${lost}, and ONNX Runtime then leaves out its base value`,
      `${output === 'target' ? "train one model per target (XGBoost's converter gives all trees to the first); else " : ''}` +
        `give every leaf a weight, also 0, for each ${output}, or leave base_values out`,
    );
}
