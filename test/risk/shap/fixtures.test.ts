import { describe, expect, test } from 'vitest';
import { parseModel } from '../../../src/risk/parse-model.js';
import { createInterventionalExplainer, createPathDependentExplainer } from '../../../src/risk/shap/index.js';
import { fixtureNames, largestDifference, loadFixture } from '../fixtures.js';

describe.each(fixtureNames)('SHAP values of %s equal the reference', (name) => {
  const fixture = loadFixture(name);
  const { ensemble } = parseModel(fixture.bytes);
  const { rows, rowCount } = fixture;

  test('path-dependent', () => {
    const explainer = createPathDependentExplainer(ensemble);
    const values = explainer.explain(rows, rowCount);
    expect(largestDifference(values, fixture.pathDependent.shap_values.flat(2))).toBeLessThan(1e-9);
    expect(largestDifference(explainer.expectedValue, fixture.pathDependent.expected_value)).toBeLessThan(1e-7);
    expect(additivityError(explainer.expectedValue, values)).toBeLessThan(1e-7);
  });

  test('interventional', () => {
    const explainer = createInterventionalExplainer(ensemble, fixture.background, fixture.backgroundRows);
    const values = explainer.explain(rows, rowCount);
    expect(largestDifference(values, fixture.interventional.shap_values.flat(2))).toBeLessThan(1e-10);
    expect(largestDifference(explainer.expectedValue, fixture.interventional.expected_value)).toBeLessThan(1e-10);
    expect(additivityError(explainer.expectedValue, values)).toBeLessThan(1e-10);
  });

  test('each output alone equals the same output of all together', () => {
    const output = ensemble.outputCount - 1;
    const size = ensemble.outputCount * ensemble.featureCount;
    const chosen = [
      ...createPathDependentExplainer(ensemble).explain(rows.subarray(0, 2 * ensemble.featureCount), 2),
    ].filter((_, index) => index % size >= output * ensemble.featureCount);
    expect(
      largestDifference(
        createPathDependentExplainer(ensemble, { output }).explain(rows.subarray(0, 2 * ensemble.featureCount), 2),
        chosen,
      ),
    ).toBeLessThan(1e-15);
  });

  function additivityError(expectedValue: Float64Array, values: Float64Array): number {
    const width = ensemble.featureCount;
    const raw = fixture.raw.flat();
    return largestDifference(
      raw.map((_, index) =>
        values
          .subarray(index * width, (index + 1) * width)
          .reduce((sum, value) => sum + value, expectedValue[index % ensemble.outputCount]!),
      ),
      raw,
    );
  }
});
