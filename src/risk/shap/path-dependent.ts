import type { TreeEnsemble } from '../tree-ensemble.js';
import { expectedByCover } from './expected-value.js';
import { type CompiledExplainer, type ExplainerOptions, checkRows, requireCover, selectOutputs } from './explainer.js';
import { kernel } from './kernels/path-dependent.generated.js';
import { packTrees } from './path-dependent-layout.js';
import { toPrecision } from './routing.js';
import { SlotTable } from './slots.js';
import { splitTrees } from './split-tree.js';
import { WasmMemory } from './wasm-memory.js';

/** Rows per call of the kernel. Their values and sums fit into the first-level cache together with a tree. */
const rowsAtOnce = 64;

type Kernel = Record<
  `explain${2 | 4 | 6 | 8}`,
  (
    trees: number,
    treeCount: number,
    scratch: number,
    rows: number,
    rowSize: number,
    rowCount: number,
    shaps: number,
    shapSize: number,
  ) => void
>;

/**
 * Makes an explainer by exact path-dependent SHAP values. Its time is linear in the leaves.
 * @throws UnexplainableModelError when the model has no covers
 */
export function createPathDependentExplainer(ensemble: TreeEnsemble, options?: ExplainerOptions): CompiledExplainer {
  const cover = requireCover(ensemble);
  const outputs = selectOutputs(ensemble, options);
  const slots = new SlotTable(ensemble);
  const trees = outputs.map((output) => splitTrees(ensemble, output, slots));
  const memory = options?.memory ?? new WasmMemory();
  const width = ensemble.featureCount;
  const packed = packTrees(memory, trees);
  const rowSize = slots.count * 8;
  const shapSize = width * 16;
  const rowsAddress = memory.reserve(rowsAtOnce * rowSize);
  const shapsAddress = memory.reserve(rowsAtOnce * shapSize);
  const functions = memory.instantiate<Kernel>(kernel);
  const slotValues = memory.float64(rowsAddress, rowsAtOnce * slots.count);
  const sums = memory.float64(shapsAddress, rowsAtOnce * width * 2);

  function explainSome(values: Float64Array, count: number, result: Float64Array): void {
    for (let row = 0; row < count; row++)
      slots.fill(values.subarray(row * width, (row + 1) * width), slotValues, row * slots.count);
    outputs.forEach((_, place) => {
      sums.fill(0, 0, count * width * 2);
      for (const { nodes, address, count: treeCount } of packed.groups[place]!) {
        functions[`explain${nodes}`](
          address,
          treeCount,
          packed.scratch,
          rowsAddress,
          rowSize,
          count,
          shapsAddress,
          shapSize,
        );
      }
      for (let row = 0; row < count; row++) {
        const offset = (row * outputs.length + place) * width;
        for (let feature = 0; feature < width; feature++) {
          const sum = (row * width + feature) * 2;
          result[offset + feature] = sums[sum]! + sums[sum + 1]!;
        }
      }
    });
  }

  return {
    expectedValue: expectedByCover(ensemble, cover, outputs),
    byteLength: memory.byteLength,
    explain(rows, rowCount) {
      checkRows(ensemble, rows, rowCount);
      const values = toPrecision(ensemble, rows);
      const result = new Float64Array(rowCount * outputs.length * width);
      for (let first = 0; first < rowCount; first += rowsAtOnce) {
        const count = Math.min(rowsAtOnce, rowCount - first);
        explainSome(values.subarray(first * width), count, result.subarray(first * outputs.length * width));
      }
      return result;
    },
  };
}
