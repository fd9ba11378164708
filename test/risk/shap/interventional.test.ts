import { describe, expect, test } from 'vitest';
import { createInterventionalExplainer } from '../../../src/risk/shap/interventional.js';
import { createReferenceInterventionalExplainer } from '../../../src/risk/shap/reference/interventional.js';
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
  'the fast interventional explainer equals the plain one: %s',
  (name, ensemble) => {
    const rowCount = 40;
    const rows = randomRows(name.length, rowCount, ensemble.featureCount, 0.1);

    test.each([1, 7, 128, 150])('against %i background rows', (backgroundRows) => {
      const background = randomRows(name.length + backgroundRows, backgroundRows, ensemble.featureCount, 0.1);
      const expected = [
        ...createReferenceInterventionalExplainer(ensemble, background, backgroundRows).explain(rows, rowCount),
      ];
      const fast = createInterventionalExplainer(ensemble, background, backgroundRows);
      expect(largestDifference(fast.explain(rows, rowCount), expected)).toBeLessThan(1e-12);
      expect(
        largestDifference(
          fast.explain(rows.subarray(0, ensemble.featureCount), 1),
          expected.slice(0, ensemble.outputCount * ensemble.featureCount),
        ),
      ).toBeLessThan(1e-12);
    });
  },
);
