import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createInterventionalExplainer, createPathDependentExplainer } from '../../../src/risk/shap/index.js';
import { withCovers } from '../../../src/risk/covers.js';
import { parseModel } from '../../../src/risk/parse-model.js';
import { NodeMode, type TreeEnsemble } from '../../../src/risk/tree-ensemble.js';
import { largestDifference } from '../fixtures.js';
import { CheckedMemory } from './support/checked-memory.js';
import { categoryChain } from './support/chains.js';
import { randomEnsemble, randomRows } from './support/random-ensemble.js';
import { interventionalGame, pathDependentGame, shapleyValues } from './support/subset-enumeration.js';

const everyMode = [NodeMode.LEQ, NodeMode.LT, NodeMode.GTE, NodeMode.GT, NodeMode.EQ, NodeMode.NEQ];
const modes = [everyMode, [NodeMode.LEQ], [NodeMode.EQ], [NodeMode.EQ, NodeMode.LEQ], [NodeMode.NEQ]];
const covers = ['CONSISTENT', 'FRACTIONAL', 'ROUGH', 'SPARSE'] as const;
const backgrounds = [1, 2, 7, 64, 127, 128, 129, 256, 300];

/** Random trees that are much deeper than they have features, so that every path repeats its features. */
const deep = Array.from({ length: 45 }, (_, index): readonly [string, TreeEnsemble, number] => {
  const featureCount = 1 + (index % 4);
  const depth = 6 + (index % 23);
  const ensemble = randomEnsemble({
    seed: 500 + index,
    trees: 1 + (index % 3),
    depth,
    featureCount,
    outputCount: index % 5 === 0 ? 3 : 1,
    precision: index % 2 === 0 ? 32 : 64,
    modes: modes[index % modes.length]!,
    cover: covers[index % covers.length]!,
    // Deep trees are narrow: about as many leaves each.
    earlyLeaves: Math.min(0.48, depth / 50),
  });
  return [`${depth} deep, ${featureCount} features (${index})`, ensemble, backgrounds[index % backgrounds.length]!];
});

/** Sets of categories as the format writes them: chains of EQ, one branch per category, with a shared child. */
const chains = [1, 6, 8, 40].flatMap((length) =>
  [1, 3].map((featureCount): readonly [string, TreeEnsemble, number] => [
    `sets of ${length} categories, ${featureCount} features`,
    categoryChain({ length, featureCount }),
    150,
  ]),
);

/** Files of exporters that made the kernel leave its memory, and one with shared branches; see fixtures/README.md. */
const files = [
  'f1-one-feature-eight-splits',
  'f2-set-of-eight',
  'f3-deep-tree-3-features',
  'f4-shared-branches',
].flatMap((name) =>
  [1, 100, 300].map((backgroundRows): readonly [string, TreeEnsemble, number] => {
    const { ensemble: bare } = parseModel(readFileSync(new URL(`../fixtures/${name}.onnx`, import.meta.url)));
    const rows = spread(bare, randomRows(1, 50, bare.featureCount));
    const ensemble = withCovers(bare, { rows, rowCount: 50 });
    return [`${name}.onnx, ${backgroundRows} background rows`, ensemble, backgroundRows];
  }),
);

describe.each([...deep, ...chains, ...files])(
  'with every access checked, SHAP values equal enumeration: %s',
  (name, ensemble, backgroundRows) => {
    const width = ensemble.featureCount;
    const rowCount = 3;
    const rows = spread(ensemble, randomRows(name.length, rowCount, width, 0.15));

    function enumerated(game: (row: Float64Array, output: number) => (known: number) => number): number[] {
      return Array.from({ length: rowCount }, (_, row) =>
        Array.from({ length: ensemble.outputCount }, (_, output) => [
          ...shapleyValues(game(rows.subarray(row * width, (row + 1) * width), output), width),
        ]),
      ).flat(2);
    }

    test('interventional', () => {
      const memory = new CheckedMemory();
      const background = spread(ensemble, randomRows(name.length + 1, backgroundRows, width, 0.1));
      const explainer = createInterventionalExplainer(ensemble, background, backgroundRows, { memory });
      const expected = enumerated((row, output) =>
        interventionalGame(ensemble, row, background, backgroundRows, output),
      );
      expect(largestShare(explainer.explain(rows, rowCount), expected)).toBeLessThan(1e-12);
    });

    test('path-dependent', () => {
      const memory = new CheckedMemory();
      const explainer = createPathDependentExplainer(ensemble, { memory });
      const expected = enumerated((row, output) => pathDependentGame(ensemble, row, output));
      expect(largestShare(explainer.explain(rows, rowCount), expected)).toBeLessThan(1e-12);
    });
  },
);

/** Spreads rows on the grid of -2 to 2 over the thresholds of a model from a file. */
function spread(ensemble: TreeEnsemble, rows: Float64Array): Float64Array {
  const largest = ensemble.threshold.reduce((most, threshold) => Math.max(most, Math.abs(threshold)), 0);
  return largest <= 2 ? rows : rows.map((value) => Math.round(((value + 2) / 4) * (largest + 1)));
}

/** Largest difference, as a share of the largest value (at least 1). */
function largestShare(values: Float64Array, expected: readonly number[]): number {
  return largestDifference(values, expected) / expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
}

test('the check sees every access that leaves its piece', () => {
  class ShortMemory extends CheckedMemory {
    override reserve(bytes: number): number {
      return super.reserve(Math.max(0, bytes - 8));
    }
  }
  const ensemble = categoryChain({ length: 6, featureCount: 1 });
  const [row] = [Float64Array.of(2)];
  const checks = [
    (memory: CheckedMemory) => createInterventionalExplainer(ensemble, row, 1, { memory }),
    (memory: CheckedMemory) => createPathDependentExplainer(ensemble, { memory }),
  ];
  for (const create of checks) {
    const memory = new CheckedMemory();
    create(memory).explain(row, 1);
    expect(memory.accesses).toBeGreaterThan(20);
    expect(() => create(new ShortMemory()).explain(row, 1)).toThrow(/are not reserved/);
  }
});
