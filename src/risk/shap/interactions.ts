import { goesTrue } from '../trees/route.js';
import type { TreeEnsemble } from '../tree-ensemble.js';
import { expectedByCover } from './expected-value.js';
import {
  type ExplainerOptions,
  type InteractionExplainer,
  checkRows,
  requireCover,
  selectOutputs,
} from './explainer.js';
import { type QuadratureRule, gaussLegendre } from './gauss-legendre.js';
import { coverFraction, isLeaf, leafWeightOf, toPrecision } from './routing.js';

/** One feature of a path: the share of rows that follow it while unknown, and whether the explained row does. */
interface PathFeature {
  readonly feature: number;
  readonly unknown: number;
  readonly known: 0 | 1;
}

/**
 * Path-dependent SHAP interaction values (Fujimoto et al. 2006; Lundberg et al. 2020, as `shap` defines them): half the
 * Shapley interaction index for two features, and on the diagonal what is left of the feature's SHAP value.
 *
 * With every feature known with probability t, a leaf is reached with the product over its path of t known + (1 - t) unknown
 * (Owen, "Multilinear extensions of games", Management Science 18, 1972). The index is the integral over t of the second
 * derivative of that product, the SHAP value that of the first; both are polynomials, so Gauss-Legendre is exact.
 */
export function createInteractionExplainer(ensemble: TreeEnsemble, options?: ExplainerOptions): InteractionExplainer {
  const cover = requireCover(ensemble);
  const outputs = selectOutputs(ensemble, options);
  const width = ensemble.featureCount;
  const rules = new Map<number, QuadratureRule>();

  function ruleFor(pathLength: number): QuadratureRule {
    const count = Math.max(1, Math.ceil(pathLength / 2));
    const rule = rules.get(count) ?? gaussLegendre(count);
    rules.set(count, rule);
    return rule;
  }

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
      const known = taken && before?.known !== 0 ? 1 : 0;
      // Reached by no coalition: neither the row nor any training row comes here.
      if (known === 0 && unknown === 0) continue;
      explainTree(child, [...rest, { feature, unknown, known }], row, result);
    }
  }

  function addLeaf(leaf: number, path: readonly PathFeature[], result: Float64Array): void {
    const { nodes, weights } = ruleFor(path.length);
    const leafWeights = outputs.map((output) => leafWeightOf(ensemble, leaf, output));
    nodes.forEach((t, index) => {
      const factors = path.map(({ known, unknown }) => t * known + (1 - t) * unknown);
      const product = factors.reduce((all, factor) => all * factor, weights[index]!);
      const slopes = path.map(({ known, unknown }, place) => (known - unknown) / factors[place]!);
      leafWeights.forEach((leafWeight, slot) =>
        addPairs(path, slopes, product * leafWeight, result.subarray(slot * width * width, (slot + 1) * width * width)),
      );
    });
  }

  function addPairs(
    path: readonly PathFeature[],
    slopes: readonly number[],
    scale: number,
    matrix: Float64Array,
  ): void {
    path.forEach((first, i) => {
      matrix[first.feature * (width + 1)]! += scale * slopes[i]!;
      path.forEach((second, j) => {
        if (i === j) return;
        const half = (scale * slopes[i]! * slopes[j]!) / 2;
        matrix[first.feature * width + second.feature]! += half;
        matrix[first.feature * (width + 1)]! -= half;
      });
    });
  }

  return {
    expectedValue: expectedByCover(ensemble, cover, outputs),
    explain(rows, rowCount) {
      checkRows(ensemble, rows, rowCount);
      const values = toPrecision(ensemble, rows);
      const size = outputs.length * width * width;
      const result = new Float64Array(rowCount * size);
      for (let row = 0; row < rowCount; row++) {
        for (const root of ensemble.roots)
          explainTree(
            root,
            [],
            values.subarray(row * width, (row + 1) * width),
            result.subarray(row * size, (row + 1) * size),
          );
      }
      return result;
    },
  };
}
