import { describe, expect, test } from 'vitest';
import { createInteractionExplainer } from '../../../src/risk/shap/interactions.js';
import { createReferenceInterventionalExplainer } from '../../../src/risk/shap/reference/interventional.js';
import { createReferencePathDependentExplainer } from '../../../src/risk/shap/reference/path-dependent.js';
import { largestDifference } from '../fixtures.js';
import { smallModels } from './support/models.js';
import { randomRows } from './support/random-ensemble.js';
import {
  type Game,
  interactionValues,
  interventionalGame,
  pathDependentGame,
  shapleyValues,
} from './support/subset-enumeration.js';

const rowCount = 4;

describe.each(smallModels)('the plain explainers equal subset enumeration: %s', (name, ensemble) => {
  const width = ensemble.featureCount;
  const rows = randomRows(name.length, rowCount, width, 0.15);
  const background = randomRows(name.length + 1, 7, width, 0.1);
  const row = (index: number) => rows.subarray(index * width, (index + 1) * width);

  function byDefinition(
    game: (row: Float64Array, output: number) => Game,
    values: (game: Game, featureCount: number) => Float64Array,
  ): number[] {
    return Array.from({ length: rowCount }, (_, index) =>
      Array.from({ length: ensemble.outputCount }, (_, output) => [...values(game(row(index), output), width)]),
    ).flat(2);
  }

  test('path-dependent', () => {
    const explainer = createReferencePathDependentExplainer(ensemble);
    expect(
      largestDifference(
        explainer.explain(rows, rowCount),
        byDefinition((own, output) => pathDependentGame(ensemble, own, output), shapleyValues),
      ),
    ).toBeLessThan(1e-12);
    expect(
      largestDifference(
        explainer.expectedValue,
        [...ensemble.baseValues].map((_, output) => pathDependentGame(ensemble, row(0), output)(0)),
      ),
    ).toBeLessThan(1e-12);
  });

  test('interventional', () => {
    const explainer = createReferenceInterventionalExplainer(ensemble, background, 7);
    const game = (own: Float64Array, output: number) => interventionalGame(ensemble, own, background, 7, output);
    expect(largestDifference(explainer.explain(rows, rowCount), byDefinition(game, shapleyValues))).toBeLessThan(1e-12);
    expect(
      largestDifference(
        explainer.expectedValue,
        [...ensemble.baseValues].map((_, output) => game(row(0), output)(0)),
      ),
    ).toBeLessThan(1e-12);
  });

  test('interactions', () => {
    const actual = createInteractionExplainer(ensemble).explain(rows, rowCount);
    expect(
      largestDifference(
        actual,
        byDefinition((own, output) => pathDependentGame(ensemble, own, output), interactionValues),
      ),
    ).toBeLessThan(1e-12);
  });
});
