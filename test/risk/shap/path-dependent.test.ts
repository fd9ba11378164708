import { describe, expect, test } from 'vitest';
import { createPathDependentExplainer } from '../../../src/risk/shap/path-dependent.js';
import { createReferencePathDependentExplainer } from './reference/path-dependent.js';
import { largestDifference } from '../fixtures.js';
import { smallModels } from './support/models.js';
import { randomEnsemble, randomRows } from './support/random-ensemble.js';

const larger = [
  [
    'paths of 30 different features',
    randomEnsemble({ seed: 31, trees: 2, depth: 30, featureCount: 60, earlyLeaves: 0.45 }),
  ],
  ['depth 12, mostly repeats', randomEnsemble({ seed: 32, trees: 2, depth: 12, featureCount: 4, earlyLeaves: 0.2 })],
] as const;

describe.each([...smallModels, ...larger])(
  'the fast path-dependent explainer equals the plain one: %s',
  (name, ensemble) => {
    const rowCount = 70;
    const rows = randomRows(name.length, rowCount, ensemble.featureCount, 0.1);
    const plain = createReferencePathDependentExplainer(ensemble);
    const fast = createPathDependentExplainer(ensemble);

    test('row by row, and for many rows at once', () => {
      const expected = [...plain.explain(rows, rowCount)];
      expect(largestDifference(fast.explain(rows, rowCount), expected)).toBeLessThan(1e-12);
      const first = rows.subarray(0, ensemble.featureCount);
      expect(
        largestDifference(fast.explain(first, 1), expected.slice(0, ensemble.outputCount * ensemble.featureCount)),
      ).toBeLessThan(1e-12);
      expect(fast.explain(rows.subarray(0, 0), 0)).toHaveLength(0);
    });
  },
);
