import type { TreeEnsemble } from '../tree-ensemble.js';
import { expectedByBackground } from './expected-value.js';
import {
  type CompiledExplainer,
  type ExplainerOptions,
  checkBackground,
  checkRows,
  selectOutputs,
} from './explainer.js';
import { packForests } from './interventional-layout.js';
import { kernel } from './kernels/interventional.generated.js';
import { toPrecision } from './routing.js';
import { SlotTable } from './slots.js';
import { splitTrees } from './split-tree.js';
import { WasmMemory } from './wasm-memory.js';

/** Rows per call of the kernel. Their values and sums fit into the first-level cache together with a tree. */
const rowsAtOnce = 64;

type Kernel = {
  explain(
    roots: number,
    treeCount: number,
    block: number,
    rows: number,
    rowSize: number,
    rowCount: number,
    sums: number,
    sumsSize: number,
  ): void;
};

/**
 * Makes an explainer by exact interventional SHAP values against a background set, 128 background rows at a time.
 * @param background row-major backgroundRows x featureCount
 * @throws UnexplainableModelError when the background is empty
 */
export function createInterventionalExplainer(
  ensemble: TreeEnsemble,
  background: Float64Array,
  backgroundRows: number,
  options?: ExplainerOptions,
): CompiledExplainer {
  checkBackground(ensemble, background, backgroundRows);
  const outputs = selectOutputs(ensemble, options);
  const width = ensemble.featureCount;
  const references = toPrecision(ensemble, background);
  const slots = new SlotTable(ensemble);
  const trees = outputs.map((output) => splitTrees(ensemble, output, slots));
  const fill = (rows: Float64Array, count: number, into: Float64Array) => {
    for (let row = 0; row < count; row++)
      slots.fill(rows.subarray(row * width, (row + 1) * width), into, row * slots.count);
    return into;
  };
  const memory = options?.memory ?? new WasmMemory();
  const { blocks, forests } = packForests(memory, trees, {
    values: fill(references, backgroundRows, new Float64Array(backgroundRows * slots.count)),
    rows: backgroundRows,
    slots: slots.count,
  });
  const rowSize = slots.count * 8;
  const sumsSize = width * 8;
  const rowsAddress = memory.reserve(rowsAtOnce * rowSize);
  const sumsAddress = memory.reserve(rowsAtOnce * sumsSize);
  const { explain } = memory.instantiate<Kernel>(kernel);
  const slotValues = memory.float64(rowsAddress, rowsAtOnce * slots.count);
  const sums = memory.float64(sumsAddress, rowsAtOnce * width);

  function explainSome(values: Float64Array, count: number, result: Float64Array): void {
    fill(values, count, slotValues);
    forests.forEach((forest, place) => {
      sums.fill(0, 0, count * width);
      for (const block of blocks)
        explain(forest.address, forest.count, block, rowsAddress, rowSize, count, sumsAddress, sumsSize);
      for (let row = 0; row < count; row++)
        result.set(sums.subarray(row * width, (row + 1) * width), (row * outputs.length + place) * width);
    });
  }

  return {
    expectedValue: expectedByBackground(ensemble, references, backgroundRows, outputs),
    byteLength: memory.byteLength,
    explain(rows, rowCount) {
      checkRows(ensemble, rows, rowCount);
      const values = toPrecision(ensemble, rows);
      const result = new Float64Array(rowCount * outputs.length * width);
      for (let first = 0; first < rowCount; first += rowsAtOnce) {
        explainSome(
          values.subarray(first * width),
          Math.min(rowsAtOnce, rowCount - first),
          result.subarray(first * outputs.length * width),
        );
      }
      return result;
    },
  };
}
