import type { TreeEnsemble } from '../../../../src/risk/tree-ensemble.js';
import {
  type ExplainerOptions,
  type TreeExplainer,
  checkRows,
  requireCover,
  selectOutputs,
} from '../../../../src/risk/shap/explainer.js';
import { goesTrue } from '../../../../src/risk/trees/route.js';
import { coverFraction, isLeaf, leafWeightOf, toPrecision } from '../../../../src/risk/shap/routing.js';
import { expectedByCover } from '../../../../src/risk/shap/expected-value.js';

/** Feature of the path from the root: the share of rows that follow it while it is unknown, and if this row does. */
interface PathFeature {
  readonly feature: number;
  readonly unknown: number;
  readonly known: 0 | 1;
}

/**
 * Path-dependent TreeSHAP as in Lundberg et al., "From local explanations to global understanding with explainable AI
 * for trees", Nature Machine Intelligence 2 (2020), algorithm 2. The sum over subset sizes of a path is written out for
 * each leaf instead of extended and unwound. Slow and plain: the fast explainer is tested against it.
 */
export function createReferencePathDependentExplainer(
  ensemble: TreeEnsemble,
  options?: ExplainerOptions,
): TreeExplainer {
  const cover = requireCover(ensemble);
  const outputs = selectOutputs(ensemble, options);
  const width = ensemble.featureCount;

  function explainTree(node: number, path: readonly PathFeature[], row: Float64Array, result: Float64Array): void {
    if (isLeaf(ensemble, node)) return addLeaf(node, path, result);
    const feature = ensemble.feature[node]!;
    const before = path.find((entry) => entry.feature === feature);
    const rest = path.filter((entry) => entry.feature !== feature);
    const toTrue = goesTrue(ensemble, node, row[feature]!);
    for (const [child, taken] of [
      [ensemble.trueChild[node]!, toTrue],
      [ensemble.falseChild[node]!, !toTrue],
    ] as const) {
      const unknown = coverFraction(cover, node, child) * (before?.unknown ?? 1);
      explainTree(child, [...rest, { feature, unknown, known: taken && before?.known !== 0 ? 1 : 0 }], row, result);
    }
  }

  function addLeaf(leaf: number, path: readonly PathFeature[], result: Float64Array): void {
    path.forEach((own, index) => {
      const share = shapleyWeightedProduct(path.filter((_, other) => other !== index)) * (own.known - own.unknown);
      outputs.forEach((output, slot) => {
        result[slot * width + own.feature]! += share * leafWeightOf(ensemble, leaf, output);
      });
    });
  }

  return {
    expectedValue: expectedByCover(ensemble, cover, outputs),
    explain(rows, rowCount) {
      checkRows(ensemble, rows, rowCount);
      const values = toPrecision(ensemble, rows);
      const result = new Float64Array(rowCount * outputs.length * width);
      for (let row = 0; row < rowCount; row++) {
        const own = result.subarray(row * outputs.length * width, (row + 1) * outputs.length * width);
        for (const root of ensemble.roots) explainTree(root, [], values.subarray(row * width, (row + 1) * width), own);
      }
      return result;
    },
  };
}

/**
 * Sum over all subsets S of the other features of
 * |S|! (n - |S|)! / (n + 1)! x product of `known` within S and of `unknown` outside it.
 */
function shapleyWeightedProduct(others: readonly PathFeature[]): number {
  let bySize = [1];
  for (const { known, unknown } of others) {
    bySize = Array.from(
      { length: bySize.length + 1 },
      (_, size) => (bySize[size] ?? 0) * unknown + (bySize[size - 1] ?? 0) * known,
    );
  }
  let weight = 1 / (others.length + 1);
  let sum = 0;
  bySize.forEach((product, size) => {
    sum += weight * product;
    weight *= (size + 1) / (others.length - size);
  });
  return sum;
}
