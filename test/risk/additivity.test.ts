import { expect, test } from 'vitest';
import { additivityError, additivityIssue } from '../../src/risk/additivity.js';
import { explainRows } from '../../src/risk/explain-file.js';
import { createExplainer } from '../../src/risk/explainers.js';
import { parseModel } from '../../src/risk/parse-model.js';
import { loadFixture } from './fixtures.js';

test.each<[string, number, number[], number, string | undefined]>([
  ['an exact sum', 0.5, [0.25, -0.5], 0.25, undefined],
  ['rounding', 0.1, [0.2], 0.3, undefined],
  ['rounding of a large quantity', 4000, [2545.996], 6545.996 + 1e-3, undefined],
  ['a wrong value', 0.5, [0.25, -0.5], 0.26, 'off by 1.0e-2, 0.000001 is allowed'],
  ['a wrong value of a large quantity', 4000, [2545], 6546, 'off by 1.5e-4'],
  ['NaN among the values', 0, [Number.NaN, 1], 1, 'its sum is not a finite number'],
  ['infinities that agree', 0, [Infinity], Infinity, 'its sum is not a finite number'],
  ['infinities that cancel', 1, [Infinity, -Infinity], 1, 'its sum is not a finite number'],
  ['a missing base value', Number.NaN, [0], 0, 'its sum is not a finite number'],
])('%s', (_what, baseValue, contributions, output, issue) => {
  const found = additivityIssue({ baseValue, contributions }, output);
  if (issue === undefined) expect(found).toBeUndefined();
  else expect(found).toContain(issue);
  expect(additivityError({ baseValue, contributions }, output)).not.toBeNaN();
});

test.each([Number.NaN, 1e-3, -1e191, Infinity])(
  'explained rows are refused when a value is off by %d',
  async (error) => {
    const { bytes, rows, rowCount } = loadFixture('c2-xgb-3class');
    const model = parseModel(bytes);
    const explainer = createExplainer(model, 'PATH_DEPENDENT', null);
    expect((await explainRows(model, explainer, { rows, rowCount })).shap_values).toHaveLength(rowCount);
    // The last value of the last row, so that every row and output is looked at.
    const wrong = {
      ...explainer,
      explain: (given: Float64Array, count: number) => {
        const values = explainer.explain(given, count);
        values[values.length - 1]! += error;
        return values;
      },
    };
    await expect(explainRows(model, wrong, { rows, rowCount })).rejects.toThrow(
      /SHAP values do not add up to the model's raw output/,
    );
  },
);
