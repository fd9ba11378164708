import type { TreeEnsemble } from '../tree-ensemble.js';
import type { ScoreLayout } from './score-layout.js';

/** One tree operator, read. */
export interface ParsedTrees {
  readonly ensemble: TreeEnsemble;
  readonly scoreLayout: ScoreLayout;
  /**
   * Columns asked for membership of a set that ONNX Runtime does not unroll (31 values or more, or values outside 0 to 30): it drops
   * the fraction of the input there, so only whole numbers mean the same as in the standard. They are category codes.
   */
  readonly wholeColumns: ReadonlySet<number>;
  /** Class labels as text; null for regressors. */
  readonly labels: readonly string[] | null;
  /** Name of the tensor that holds the scores. */
  readonly scoreOutput: string;
}
