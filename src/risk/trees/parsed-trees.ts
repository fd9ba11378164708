import type { TreeEnsemble } from '../tree-ensemble.js';
import type { ScoreLayout } from './score-layout.js';

/** The result of reading one tree operator. */
export interface ParsedTrees {
  readonly ensemble: TreeEnsemble;
  readonly scoreLayout: ScoreLayout;
  /**
   * Columns tested for membership of a set that ONNX Runtime does not unroll (31 values or more, or values outside 0 to
   * 30). There it drops the fraction of the input, so only whole numbers have the meaning of the standard. They are
   * category codes.
   */
  readonly wholeColumns: ReadonlySet<number>;
  /** Class labels as text; null for regressors. */
  readonly labels: readonly string[] | null;
  /** Name of the tensor that holds the scores. */
  readonly scoreOutput: string;
}
