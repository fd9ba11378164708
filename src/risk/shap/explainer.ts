import { UnexplainableModelError } from '../errors.js';
import type { TreeEnsemble } from '../tree-ensemble.js';
import type { WasmMemory } from './wasm-memory.js';

/**
 * Computes exact SHAP values of a tree ensemble in its raw output space (before the post transform).
 * For every row and output: expectedValue + sum of the SHAP values = raw output.
 */
export interface TreeExplainer {
  /** Mean raw output of the distribution that stands for "feature unknown", base values included: [output]. */
  readonly expectedValue: Float64Array;
  /**
   * @param rows row-major rowCount x featureCount, NaN = missing; rounded to float32 if the model compares in float32
   * @returns [row][output][feature], flattened, accumulated in float64
   * @throws RangeError when `rows` does not hold rowCount x featureCount numbers
   */
  explain(rows: Float64Array, rowCount: number): Float64Array;
}

/** An explainer that holds its own compiled form of the model. Explainers share nothing, so several may run at once. */
export interface CompiledExplainer extends TreeExplainer {
  /** Size of the compiled model with its working memory. */
  readonly byteLength: number;
}

export interface ExplainerOptions {
  /** Explain this output only; results then have one output. All outputs when absent. */
  readonly output?: number;
  /** Memory of the kernel. The tests give one that checks every access. @defaultValue new WasmMemory() */
  readonly memory?: WasmMemory;
}

/** Lists the outputs to explain, in order. @throws RangeError when `options.output` is not an output of the model */
export function selectOutputs(ensemble: TreeEnsemble, options: ExplainerOptions | undefined): number[] {
  const output = options?.output;
  if (output === undefined) return Array.from({ length: ensemble.outputCount }, (_, index) => index);
  if (!Number.isInteger(output) || output < 0 || output >= ensemble.outputCount) {
    throw new RangeError(
      `Output ${output} cannot be explained: the model's outputs are 0 to ${ensemble.outputCount - 1}; ask for one ` +
        'of them.',
    );
  }
  return [output];
}

/** Returns the node covers. @throws UnexplainableModelError when the model has none */
export function requireCover(ensemble: TreeEnsemble): Float64Array {
  if (ensemble.cover) return ensemble.cover;
  throw new UnexplainableModelError(
    'path-dependent SHAP',
    'the model does not say how many training rows reached each node',
    'write real counts to nodes_hitrates, or add a background set to the bundle',
  );
}

/** @throws RangeError when `rows` is not rowCount x featureCount */
export function checkRows(ensemble: TreeEnsemble, rows: Float64Array, rowCount: number): void {
  if (Number.isInteger(rowCount) && rowCount >= 0 && rows.length === rowCount * ensemble.featureCount) return;
  throw new RangeError(
    `${rows.length} numbers are not ${rowCount} rows: give whole rows of ${ensemble.featureCount} features.`,
  );
}

/** @throws RangeError when the shape is wrong, UnexplainableModelError when the background is empty */
export function checkBackground(ensemble: TreeEnsemble, background: Float64Array, backgroundRows: number): void {
  checkRows(ensemble, background, backgroundRows);
  if (backgroundRows === 0)
    throw new UnexplainableModelError('interventional SHAP', 'the background set is empty', 'add rows to it');
}
