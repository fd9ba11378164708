import { NodeMode, type TreeEnsemble } from './tree-ensemble.js';
import { goesTrue } from './trees/route.js';

/**
 * Tolerance between the children's covers and their parent's, as a share. XGBoost writes sums of hessians in float32,
 * or rounded to six digits. Invented values (skl2onnx writes 1 everywhere) exceed the tolerance by far.
 */
const coverTolerance = 1e-3;

/**
 * Tells whether the covers of a file are real counts or weights: none is negative, every root was reached, and at every
 * branch the children add up to the parent.
 */
export function hasRealCovers(ensemble: TreeEnsemble): boolean {
  const { cover, mode, trueChild, falseChild, roots } = ensemble;
  if (!cover) return false;
  if (!cover.every((value) => Number.isFinite(value) && value >= 0)) return false;
  if (!roots.every((root) => mode[root] === NodeMode.LEAF || cover[root]! > 0)) return false;
  return mode.every((value, node) => {
    if (value === NodeMode.LEAF) return true;
    const children = cover[trueChild[node]!]! + cover[falseChild[node]!]!;
    return Math.abs(children - cover[node]!) <= coverTolerance * cover[node]!;
  });
}

/**
 * Counts covers by sending a background set through the trees. A node that no row reaches has cover 0. Below it the
 * explainers give both sides the same weight. That changes no value of a row that does not reach the node. For a row
 * that does, the values still add up.
 * @param background row-major, as the trees compare them
 */
export function countCovers(ensemble: TreeEnsemble, background: Float64Array, rowCount: number): Float64Array {
  const cover = new Float64Array(ensemble.mode.length);
  for (let row = 0; row < rowCount; row++) {
    for (const root of ensemble.roots) {
      let node = root;
      cover[node]!++;
      while (ensemble.mode[node] !== NodeMode.LEAF) {
        const value = background[row * ensemble.featureCount + ensemble.feature[node]!]!;
        node = goesTrue(ensemble, node, value) ? ensemble.trueChild[node]! : ensemble.falseChild[node]!;
        cover[node]!++;
      }
    }
  }
  return cover;
}

/** Returns the ensemble with real covers: those of the file, else those of the background, else null. */
export function withCovers(
  ensemble: TreeEnsemble,
  background: { rows: Float64Array; rowCount: number } | null,
): TreeEnsemble {
  if (hasRealCovers(ensemble)) return ensemble;
  return {
    ...ensemble,
    cover: background && background.rowCount > 0 ? countCovers(ensemble, background.rows, background.rowCount) : null,
  };
}

/** Reason and remedy for a caller who asks for path-dependent SHAP when the model has no covers. */
export const noCoversReason =
  'the file does not say how many training rows reached each node (nodes_hitrates is absent, all ones or does not ' +
  'add up)';
export const noCoversRemedy = 'write the real counts to nodes_hitrates when exporting, or give a background set';
