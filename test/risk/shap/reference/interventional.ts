import type { TreeEnsemble } from '../../../../src/risk/tree-ensemble.js';
import {
  type ExplainerOptions,
  type TreeExplainer,
  checkBackground,
  checkRows,
  selectOutputs,
} from '../../../../src/risk/shap/explainer.js';
import { goesTrue } from '../../../../src/risk/trees/route.js';
import { isLeaf, leafWeightOf, toPrecision } from '../../../../src/risk/shap/routing.js';
import { expectedByBackground } from '../../../../src/risk/shap/expected-value.js';

/** Features on which the path follows only the explained row, and those on which it follows only the background row. */
interface Split {
  readonly own: readonly number[];
  readonly background: readonly number[];
}

/**
 * Interventional TreeSHAP: for each background row, a leaf is reached by a coalition exactly when it holds all features
 * that only the explained row satisfies and none of those that only the background row does (Lundberg et al. 2020,
 * algorithm 3). Slow and plain: the fast explainer is tested against it.
 */
export function createReferenceInterventionalExplainer(
  ensemble: TreeEnsemble,
  background: Float64Array,
  backgroundRows: number,
  options?: ExplainerOptions,
): TreeExplainer {
  const outputs = selectOutputs(ensemble, options);
  const width = ensemble.featureCount;
  checkBackground(ensemble, background, backgroundRows);
  const references = toPrecision(ensemble, background);

  function explainTree(
    node: number,
    split: Split,
    row: Float64Array,
    reference: Float64Array,
    result: Float64Array,
  ): void {
    if (isLeaf(ensemble, node)) return addLeaf(node, split, result);
    const feature = ensemble.feature[node]!;
    const childOf = (values: Float64Array) =>
      goesTrue(ensemble, node, values[feature]!) ? ensemble.trueChild[node]! : ensemble.falseChild[node]!;
    const ownChild = childOf(row);
    const referenceChild = childOf(reference);
    if (ownChild === referenceChild || split.own.includes(feature))
      return explainTree(ownChild, split, row, reference, result);
    if (split.background.includes(feature)) return explainTree(referenceChild, split, row, reference, result);
    explainTree(ownChild, { ...split, own: [...split.own, feature] }, row, reference, result);
    explainTree(referenceChild, { ...split, background: [...split.background, feature] }, row, reference, result);
  }

  function addLeaf(leaf: number, { own, background: others }: Split, result: Float64Array): void {
    outputs.forEach((output, slot) => {
      const weight = leafWeightOf(ensemble, leaf, output) / backgroundRows;
      for (const feature of own) result[slot * width + feature]! += weight * orderWeight(own.length - 1, others.length);
      for (const feature of others)
        result[slot * width + feature]! -= weight * orderWeight(own.length, others.length - 1);
    });
  }

  return {
    expectedValue: expectedByBackground(ensemble, references, backgroundRows, outputs),
    explain(rows, rowCount) {
      checkRows(ensemble, rows, rowCount);
      const values = toPrecision(ensemble, rows);
      const result = new Float64Array(rowCount * outputs.length * width);
      for (let row = 0; row < rowCount; row++) {
        const own = result.subarray(row * outputs.length * width, (row + 1) * outputs.length * width);
        for (let reference = 0; reference < backgroundRows; reference++) {
          for (const root of ensemble.roots) {
            explainTree(
              root,
              { own: [], background: [] },
              values.subarray(row * width, (row + 1) * width),
              references.subarray(reference * width, (reference + 1) * width),
              own,
            );
          }
        }
      }
      return result;
    },
  };
}

/**
 * Share of orders in which one feature comes after `before` given ones and before `after` others:
 * before! after! / (before + after + 1)!
 */
function orderWeight(before: number, after: number): number {
  let weight = 1 / (before + after + 1);
  for (let step = 1; step <= before; step++) weight *= step / (after + step);
  return weight;
}
