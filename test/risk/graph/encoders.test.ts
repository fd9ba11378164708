/**
 * Operators before the trees that make several columns of one feature, or combine columns of one feature. Each graph is
 * compared with ONNX Runtime on every threshold. SHAP values are compared with their definition over the whole graph.
 */
import { expect, test } from 'vitest';
import { createExplainer } from '../../../src/risk/explainers.js';
import { randomRows } from '../../../src/risk/check/probe-rows.js';
import { startModelSession } from '../../../src/risk/onnx-session.js';
import { againstRuntime } from '../support/against-runtime.js';
import { ElementType } from '../../../src/risk/onnx/tensor-proto.js';
import type { WrittenModel, WrittenNode } from '../support/onnx-writer.js';
import { shapleyByDefinition } from '../support/shapley.js';
import { floats, integers, leaf, regressionModel, regressorNode, type Tree } from '../support/small-models.js';

const ml = (
  operator: string,
  attributes: WrittenNode['attributes'],
  inputs: readonly string[] = ['X'],
  outputs: readonly string[] = ['Z'],
): WrittenNode => ({ operator, domain: 'ai.onnx.ml', inputs, outputs, attributes });
const plain = (
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[] = ['Z'],
  attributes: WrittenNode['attributes'] = {},
): WrittenNode => ({ operator, inputs, outputs, attributes });

/** A tree that asks for each of `width` columns twice, below one another and in another tree. */
function treesOver(width: number, at = 0.5): readonly Tree[] {
  let chain: Tree = leaf(0.125);
  for (let column = 0; column < width; column++) chain = { feature: column, at, yes: chain, no: leaf(column + 1) };
  return [chain, { feature: width - 1, at, yes: leaf(0.5), no: { feature: 0, at, yes: leaf(-1), no: leaf(3) } }];
}

const behind = (width: number, ...nodes: readonly WrittenNode[]): readonly WrittenNode[] => [
  ...nodes,
  regressorNode(treesOver(width), { input: 'Z' }),
];
const column = (index: number, output: string): WrittenNode =>
  ml('ArrayFeatureExtractor', {}, ['X', `index${index}`], [output]);
const indices = { index0: integers([0]), index1: integers([1]) };
const joined = (...inputs: readonly string[]): WrittenNode => plain('Concat', inputs, ['Z'], { axis: 1 });

type Options = Partial<WrittenModel> & { width?: number; type?: number };

test.each<[string, readonly WrittenNode[], Options]>([
  [
    'one-hot columns of whole numbers',
    behind(6, ml('OneHotEncoder', { cats_int64s: [1, 3, 5] }, ['X'], ['A']), plain('Reshape', ['A', 'shape'])),
    { width: 2, type: ElementType.INT64, initializers: { shape: integers([-1, 6]) } },
  ],
  [
    'one-hot columns that know no other category',
    behind(
      5,
      column(0, 'A'),
      column(1, 'B'),
      ml('OneHotEncoder', { cats_int64s: [0, 4], zeros: 0 }, ['A'], ['C']),
      ml('OneHotEncoder', { cats_int64s: [7, 8, 9], zeros: 0 }, ['B'], ['D']),
      plain('Concat', ['C', 'D'], ['E'], { axis: 2 }),
      plain('Reshape', ['E', 'shape']),
    ),
    { width: 2, initializers: { ...indices, shape: integers([-1, 5]) } },
  ],
  [
    'one-hot columns without the first',
    behind(
      2,
      ml('OneHotEncoder', { cats_int64s: [1, 2, 3] }, ['X'], ['A']),
      plain('Gather', ['A', 'kept'], ['B'], { axis: -1 }),
      plain('Squeeze', ['B', 'axis']),
    ),
    { width: 1, initializers: { kept: integers([1, 2]), axis: integers([1]) } },
  ],
  [
    'one-hot columns of text',
    behind(
      3,
      ml('OneHotEncoder', { cats_strings: ['A', 'B b', 'ä'], zeros: 1 }, ['X'], ['A']),
      plain('Flatten', ['A']),
    ),
    { width: 1, type: ElementType.STRING },
  ],
  [
    'texts as numbers',
    behind(1, ml('LabelEncoder', { keys_strings: ['no', 'yes', 'maybe'], values_floats: { floats: [0, 1, 0.25] } })),
    { width: 1, type: ElementType.STRING, mlVersion: 2 },
  ],
  [
    'numbers as other numbers',
    behind(
      2,
      ml('LabelEncoder', { keys_int64s: [7, 3], values_int64s: [0, 1], default_int64: -1 }, ['X'], ['A']),
      plain('Cast', ['A'], ['Z'], { to: ElementType.FLOAT }),
    ),
    { width: 2, type: ElementType.INT64, mlVersion: 2 },
  ],
  [
    'a feature in three forms',
    behind(
      6,
      ml('Scaler', { scale: { floats: [2, -0.5] }, offset: { floats: [1, 0] } }, ['X'], ['A']),
      plain('Mul', ['X', 'factors'], ['B']),
      joined('X', 'A', 'B'),
    ),
    { width: 2, initializers: { factors: floats([-1, 0.25]) } },
  ],
  [
    'the value, and whether it is missing',
    behind(
      4,
      plain('IsNaN', ['X'], ['A']),
      plain('Cast', ['A'], ['B'], { to: ElementType.FLOAT }),
      ml('Imputer', { imputed_value_floats: { floats: [0.4] }, replaced_value_float: { float: NaN } }, ['X'], ['C']),
      joined('C', 'B'),
    ),
    { width: 2 },
  ],
  [
    'a value instead of missing ones',
    behind(2, plain('IsNaN', ['X'], ['A']), plain('Where', ['A', 'instead', 'X'])),
    { width: 2, initializers: { instead: floats([-1, 2]) } },
  ],
  [
    'bins',
    behind(
      4,
      plain('Less', ['X', 'edges'], ['A']),
      plain('Cast', ['A'], ['B'], { to: ElementType.FLOAT }),
      plain('Mul', ['X', 'zero'], ['C']),
      plain('Add', ['C', 'one'], ['D']),
      plain('Concat', ['B', 'D'], ['E'], { axis: 1 }),
      plain('ArgMax', ['E'], ['F'], { axis: 1 }),
      ml('OneHotEncoder', { cats_int64s: [0, 1, 2, 3] }, ['F'], ['G']),
      plain('Reshape', ['G', 'shape']),
    ),
    {
      width: 1,
      initializers: {
        edges: floats([-1, 0.3, 7]),
        zero: floats([0]),
        one: floats([1]),
        shape: integers([-1, 4]),
      },
    },
  ],
  ['Binarizer, which takes no NaN', behind(2, ml('Binarizer', { threshold: { float: 0.4 } })), { width: 2 }],
  [
    'a logarithm of one more',
    behind(2, plain('Add', ['X', 'one'], ['A']), plain('Log', ['A'])),
    { width: 2, initializers: { one: floats([1]) } },
  ],
  ['a square root', behind(2, plain('Sqrt', ['X'])), { width: 2 }],
  [
    'a power',
    behind(2, plain('Abs', ['X'], ['A']), plain('Pow', ['A', 'exponents'])),
    { width: 2, initializers: { exponents: floats([0.3, 2]) } },
  ],
  [
    'a slice to the end',
    behind(2, plain('Slice', ['X', 'from', 'to', 'axes'])),
    {
      width: 3,
      initializers: { from: integers([1]), to: integers([2 ** 53 - 1]), axes: integers([1]) },
    },
  ],
  [
    'a slice from the end',
    behind(2, plain('Slice', ['X', 'from', 'to', 'axes', 'steps'])),
    {
      width: 3,
      initializers: {
        from: integers([-1]),
        to: integers([0]),
        axes: integers([-1]),
        steps: integers([-1]),
      },
    },
  ],
  [
    'values per row, each made a column',
    behind(2, plain('Unsqueeze', ['a', 'axis'], ['A']), plain('Unsqueeze', ['b', 'axis'], ['B']), joined('A', 'B')),
    {
      inputs: [
        { name: 'a', shape: [null] },
        { name: 'b', shape: [null] },
      ],
      initializers: { axis: integers([1]) },
    },
  ],
  [
    'one vector made a row',
    behind(3, plain('Unsqueeze', ['X', 'axis'])),
    { inputs: [{ name: 'X', shape: [3] }], initializers: { axis: integers([0]) } },
  ],
  [
    'a batch of one row',
    behind(3, plain('Reshape', ['X', 'shape'])),
    {
      inputs: [{ name: 'X', shape: [1, 3] }],
      initializers: { shape: integers([1, 3]) },
    },
  ],
])('%s: as in ONNX Runtime, and SHAP values by their definition', async (_, nodes, options) => {
  const bytes = regressionModel(nodes, options);
  const model = await againstRuntime(bytes);
  const width = model.featureCount;
  const { rows } = randomRows(model, 16);
  const background = rows.slice(4 * width);
  const explainer = createExplainer(model, 'INTERVENTIONAL', { rows: background, rowCount: 12 });
  const values = explainer.explain(rows.slice(0, 4 * width), 4);
  const session = await startModelSession(bytes, model);
  try {
    for (let row = 0; row < 4; row++) {
      const own = rows.slice(row * width, (row + 1) * width);
      const expected = await shapleyByDefinition(session, own, background, 12);
      expected.forEach((value, feature) => expect(values[row * width + feature]).toBeCloseTo(value, 6));
    }
  } finally {
    await session.close();
  }
});

test('a model whose features have one column each has no column more than features', async () => {
  const model = await againstRuntime(regressionModel([regressorNode(treesOver(3))]));
  expect([model.comparedColumns.length, model.ensemble.owner]).toEqual([3, undefined]);
});
