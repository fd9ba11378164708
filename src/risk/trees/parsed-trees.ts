import type { TreeEnsemble } from '../tree-ensemble.js';
import type { ScoreLayout } from './score-layout.js';

/** One tree operator, read. */
export interface ParsedTrees {
  readonly ensemble: TreeEnsemble;
  readonly scoreLayout: ScoreLayout;
  /** Class labels as text; null for regressors. */
  readonly labels: readonly string[] | null;
  /** Name of the tensor that holds the scores. */
  readonly scoreOutput: string;
}
