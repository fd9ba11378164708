import { describe, expect, test } from 'vitest';
import { countCovers, hasRealCovers, withCovers } from '../../src/risk/covers.js';
import { createExplainer } from '../../src/risk/explainers.js';
import { parseModel } from '../../src/risk/parse-model.js';
import { fixtureNames, loadFixture } from './fixtures.js';
import { regressionModel, regressorNode, type Tree, twoTrees } from './support/small-models.js';

const parse = (trees: readonly Tree[]): ReturnType<typeof parseModel> =>
  parseModel(regressionModel([regressorNode(trees)]));
const stump = (root: number, yes: number, no: number): Tree => ({
  feature: 0,
  at: 0,
  cover: root,
  yes: { weights: [[0, 1]], cover: yes },
  no: { weights: [[0, 3]], cover: no },
});

describe('covers', () => {
  test.each(fixtureNames)('%s: the counts of the file are recognised as real', (name) => {
    expect(hasRealCovers(parseModel(loadFixture(name).bytes).ensemble)).toBe(true);
  });

  test.each<[string, Tree, boolean]>([
    ['children that add up', stump(10, 4, 6), true],
    ['sums of float32 hessians', stump(10, 4.001, 5.9985), true],
    ['fractions', stump(1, 0.25, 0.75), true],
    ['ones everywhere', stump(1, 1, 1), false],
    ['zeros everywhere', stump(0, 0, 0), false],
    ['popularity made up', stump(10, 4, 5), false],
    ['negative counts', stump(10, -4, 14), false],
    ['counts that are no number', stump(10, Number.NaN, 6), false],
  ])('%s', (_, tree, real) => {
    expect(hasRealCovers(parse([tree]).ensemble)).toBe(real);
  });

  test('counts a background set through the trees, root to leaf', () => {
    const { ensemble } = parse([stump(1, 1, 1)]);
    expect([...countCovers(ensemble, Float64Array.of(-1, 0, 0, 0, 0, 0, 1, 0, 0, Number.NaN, 0, 0), 4)]).toEqual([
      4, 2, 2,
    ]);
  });

  test('counts of the file win over a background', () => {
    const { ensemble } = parse([stump(10, 4, 6)]);
    expect(withCovers(ensemble, { rows: Float64Array.of(1, 0, 0), rowCount: 1 })).toBe(ensemble);
  });

  test('values still add up on rows that reach nodes that no background row reaches', () => {
    const parsed = parse(twoTrees);
    const explainer = createExplainer(parsed, 'PATH_DEPENDENT', { rows: Float64Array.of(0, 0, 0), rowCount: 1 });
    const values = explainer.explain(Float64Array.of(3, 0, 2), 1);
    expect(explainer.expectedValue[0]! + values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0.4 + 0.35, 7);
  });
});
