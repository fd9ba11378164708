import { describe, expect, test } from 'vitest';
import { createInterventionalExplainer, createPathDependentExplainer } from '../../../src/risk/shap/index.js';
import { rawOutputs } from '../../../src/risk/trees/route.js';
import { NodeMode, type TreeEnsemble } from '../../../src/risk/tree-ensemble.js';
import { UnexplainableModelError } from '../../../src/risk/errors.js';
import { randomEnsemble, randomRows } from './support/random-ensemble.js';

/** One tree that is a chain of `depth` splits. Each has a feature of its own, a leaf, and the next split below. */
function chain(depth: number): TreeEnsemble {
  const count = 2 * depth + 1;
  const isSplit = (node: number) => node < depth;
  const nodes = Int32Array.from({ length: count }, (_, node) => node);
  return {
    featureCount: depth,
    outputCount: 1,
    precision: 64,
    roots: Int32Array.of(0),
    mode: Uint8Array.from(nodes, (node) => (isSplit(node) ? NodeMode.LEQ : NodeMode.LEAF)),
    feature: nodes.map((node) => (isSplit(node) ? node : 0)),
    threshold: new Float64Array(count),
    trueChild: nodes.map((node) => (isSplit(node) ? (node + 1 < depth ? node + 1 : count - 1) : -1)),
    falseChild: nodes.map((node) => (isSplit(node) ? depth + node : -1)),
    missingTracksTrue: new Uint8Array(count),
    cover: Float64Array.from(nodes, (node) => (isSplit(node) ? depth + 1 - node : 1)),
    leafStart: Int32Array.from({ length: count + 1 }, (_, node) => Math.max(0, node - depth)),
    leafOutput: new Int32Array(depth + 1),
    leafWeight: Float64Array.from({ length: depth + 1 }, (_, leaf) => Math.sin(leaf)),
    baseValues: Float64Array.of(0.5),
    postTransform: 'NONE',
  };
}

function additivityError(
  ensemble: TreeEnsemble,
  expectedValue: Float64Array,
  values: Float64Array,
  rows: Float64Array,
  rowCount: number,
): number {
  const width = ensemble.featureCount;
  return rawOutputs(ensemble, rows, rowCount).reduce(
    (most, raw, index) =>
      Math.max(
        most,
        Math.abs(
          values
            .subarray(index * width, (index + 1) * width)
            .reduce((sum, value) => sum + value, expectedValue[index % ensemble.outputCount]!) - raw,
        ),
      ),
    0,
  );
}

describe('explainers at their limits', () => {
  test('add up on a path of the largest depth that a model may have', () => {
    const ensemble = chain(1000);
    const rows = randomRows(1, 2, 1000);
    const pathDependent = createPathDependentExplainer(ensemble);
    expect(
      additivityError(ensemble, pathDependent.expectedValue, pathDependent.explain(rows, 2), rows, 2),
    ).toBeLessThan(1e-10);
    const interventional = createInterventionalExplainer(ensemble, randomRows(2, 3, 1000), 3);
    expect(
      additivityError(ensemble, interventional.expectedValue, interventional.explain(rows, 2), rows, 2),
    ).toBeLessThan(1e-10);
  });

  test('add up on a forest of thousands of leaves and hundreds of rows', () => {
    const ensemble = randomEnsemble({ seed: 41, trees: 20, depth: 9, featureCount: 12, outputCount: 2 });
    const rows = randomRows(3, 200, 12, 0.05);
    for (const explainer of [
      createPathDependentExplainer(ensemble),
      createInterventionalExplainer(ensemble, randomRows(4, 200, 12), 200),
    ]) {
      expect(additivityError(ensemble, explainer.expectedValue, explainer.explain(rows, 200), rows, 200)).toBeLessThan(
        1e-11,
      );
    }
  });

  test('give the same values for the same row, whatever they explained before', () => {
    const ensemble = randomEnsemble({ seed: 42, trees: 10, depth: 6, featureCount: 5 });
    const rows = randomRows(5, 40, 5, 0.2);
    for (const explainer of [
      createPathDependentExplainer(ensemble),
      createInterventionalExplainer(ensemble, rows, 40),
    ]) {
      const all = explainer.explain(rows, 40);
      for (const row of [39, 0, 33])
        expect(explainer.explain(rows.slice(row * 5, row * 5 + 5), 1)).toEqual(all.slice(row * 5, row * 5 + 5));
    }
  });

  test('refuse models that they cannot explain, with the remedy', () => {
    const ensemble = randomEnsemble({ seed: 43, trees: 2, depth: 2, featureCount: 3 });
    const bare = { ...ensemble, cover: null };
    expect(() => createPathDependentExplainer(bare)).toThrow(UnexplainableModelError);
    expect(() => createPathDependentExplainer(bare)).toThrow(/nodes_hitrates/);
    expect(() => createInterventionalExplainer(ensemble, new Float64Array(0), 0)).toThrow(/background set is empty/);
    expect(() => createInterventionalExplainer(ensemble, new Float64Array(4), 1)).toThrow(/whole rows of 3 features/);
    expect(() => createPathDependentExplainer(ensemble, { output: 1 })).toThrow(/outputs are 0 to 0/);
    expect(() => createPathDependentExplainer(ensemble).explain(new Float64Array(5), 2)).toThrow(RangeError);
  });
});
