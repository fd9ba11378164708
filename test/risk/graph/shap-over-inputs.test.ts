import { describe, expect, test } from 'vitest';
import { createExplainer } from '../../../src/risk/explainers.js';
import { startModelSession } from '../../../src/risk/onnx-session.js';
import { parseModel } from '../../../src/risk/parse-model.js';
import { randomRows } from '../../../src/risk/check/probe-rows.js';
import type { WrittenModel, WrittenNode } from '../support/onnx-writer.js';
import { shapleyByDefinition } from '../support/shapley.js';
import { floats, integers, regressionModel, regressorNode, twoTrees } from '../support/small-models.js';

const ml = (
  operator: string,
  attributes: WrittenNode['attributes'],
  inputs: readonly string[] = ['X'],
): WrittenNode => ({ operator, domain: 'ai.onnx.ml', inputs, outputs: ['Z'], attributes });
const trees = regressorNode(twoTrees, { input: 'Z' });

describe('interventional SHAP values over the input features are those of the whole graph', () => {
  test.each<[string, readonly WrittenNode[], Partial<WrittenModel> & { width?: number }]>([
    ['trees alone', [regressorNode(twoTrees)], {}],
    [
      'behind a Scaler',
      [ml('Scaler', { scale: { floats: [-2, 0.3, 1.7] }, offset: { floats: [0.1, -1, 3] } }), trees],
      {},
    ],
    [
      'behind an Imputer, with missing values',
      [
        ml('Imputer', { imputed_value_floats: { floats: [1, -2, 0.3] }, replaced_value_float: { float: Number.NaN } }),
        trees,
      ],
      {},
    ],
    [
      'behind a choice of columns',
      [ml('ArrayFeatureExtractor', {}, ['X', 'chosen']), trees],
      { width: 4, initializers: { chosen: integers([3, 0, 2]) } },
    ],
    [
      'averaged and moved',
      [
        regressorNode(twoTrees, { output: 'a' }),
        { operator: 'Div', inputs: ['a', 'two'], outputs: ['b'] },
        { operator: 'Add', inputs: ['b', 'two'], outputs: ['y'] },
      ],
      { initializers: { two: floats([2]) } },
    ],
  ])('%s', async (_, nodes, options) => {
    const bytes = regressionModel(nodes, options);
    const parsed = parseModel(bytes);
    const session = await startModelSession(bytes, parsed);
    const { rows, rowCount } = randomRows(parsed, 12);
    rows[1] = Number.NaN;
    const width = parsed.featureCount;
    const background = rows.slice(4 * width);
    const explainer = createExplainer(parsed, 'INTERVENTIONAL', { rows: background, rowCount: rowCount - 4 });
    const values = explainer.explain(rows.slice(0, 4 * width), 4);
    for (let row = 0; row < 4; row++) {
      const expected = await shapleyByDefinition(
        session,
        rows.slice(row * width, (row + 1) * width),
        background,
        rowCount - 4,
      );
      expected.forEach((value, feature) => expect(values[row * width + feature]).toBeCloseTo(value, 6));
    }
    await session.close();
  });
});
