import { describe, expect, test } from 'vitest';
import { UnexplainableModelError } from '../../../src/risk/errors.js';
import { randomRows } from '../../../src/risk/check/probe-rows.js';
import { startModelSession } from '../../../src/risk/onnx-session.js';
import { parseModel, prepareRows } from '../../../src/risk/parse-model.js';
import { againstRuntime } from '../support/against-runtime.js';
import { ElementType } from '../../../src/risk/onnx/tensor-proto.js';
import type { WrittenModel, WrittenNode } from '../support/onnx-writer.js';
import {
  classifierNode,
  classificationModel,
  floats,
  integers,
  regressionModel,
  regressorNode,
  twoTrees,
} from '../support/small-models.js';

const ml = (
  operator: string,
  attributes: WrittenNode['attributes'],
  inputs: readonly string[] = ['X'],
  outputs: readonly string[] = ['Z'],
): WrittenNode => ({ operator, domain: 'ai.onnx.ml', name: `the ${operator}`, inputs, outputs, attributes });
const plain = (
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[] = ['Z'],
  attributes: WrittenNode['attributes'] = {},
): WrittenNode => ({ operator, name: `the ${operator}`, inputs, outputs, attributes });
const named = (node: WrittenNode, name: string): WrittenNode => ({ ...node, name });
const behind = (...nodes: readonly WrittenNode[]): readonly WrittenNode[] => [
  ...nodes,
  regressorNode(twoTrees, { input: 'Z' }),
];
const scaler = (
  scale: readonly number[],
  offset: readonly number[],
  inputs?: readonly string[],
  outputs?: readonly string[],
): WrittenNode => ml('Scaler', { scale: { floats: scale }, offset: { floats: offset } }, inputs, outputs);

describe('nodes before the trees', () => {
  test.each<[string, readonly WrittenNode[], Partial<WrittenModel> & { width?: number; type?: number }]>([
    ['Identity', behind(plain('Identity', ['X'])), {}],
    ['Scaler of each feature', behind(scaler([2, 0.3, 1.7], [0.1, -1, 3])), {}],
    ['Scaler that turns features round', behind(scaler([-2, -0.3, 1.7], [0.1, -1, 3])), {}],
    ['one Scaler for all', behind(scaler([0.7], [0.3])), {}],
    ['Scaler of doubles', behind(scaler([2, 0.3, 1.7], [0.1, -1, 3])), { type: ElementType.DOUBLE }],
    ['Scaler of integers', behind(scaler([2, 0.3, 1.7], [0.1, -1, 3])), { type: ElementType.INT64 }],
    [
      'Imputer of missing values',
      behind(
        ml('Imputer', { imputed_value_floats: { floats: [1, -2, 0.3] }, replaced_value_float: { float: Number.NaN } }),
      ),
      {},
    ],
    [
      'Imputer of a number',
      behind(ml('Imputer', { imputed_value_floats: { floats: [1.5] }, replaced_value_float: { float: 0 } })),
      {},
    ],
    [
      'Imputer, Scaler and Identity',
      behind(
        ml(
          'Imputer',
          { imputed_value_floats: { floats: [1, -2, 0.3] }, replaced_value_float: { float: Number.NaN } },
          ['X'],
          ['A'],
        ),
        scaler([2, 0.3, 1.7], [0.1, -1, 3], ['A'], ['B']),
        plain('Identity', ['B']),
      ),
      {},
    ],
    ['Cast of integers', behind(plain('Cast', ['X'], ['Z'], { to: ElementType.FLOAT })), { type: ElementType.INT64 }],
    ['Cast of doubles', behind(plain('Cast', ['X'], ['Z'], { to: ElementType.FLOAT })), { type: ElementType.DOUBLE }],
    [
      'Sub and Div by constants',
      behind(plain('Sub', ['X', 'mean'], ['A']), plain('Div', ['A', 'deviation'])),
      { initializers: { mean: floats([0.1, 0.2, 0.3], [1, 3]), deviation: floats([1.1, 0.7, 3]) } },
    ],
    ['a constant minus the features', behind(plain('Sub', ['one', 'X'])), { initializers: { one: floats([1], []) } }],
    [
      'Imputer and Binarizer',
      behind(
        ml(
          'Imputer',
          { imputed_value_floats: { floats: [1] }, replaced_value_float: { float: Number.NaN } },
          ['X'],
          ['A'],
        ),
        ml('Binarizer', { threshold: { float: 0.4 } }, ['A']),
      ),
      {},
    ],
    [
      'columns chosen and turned round',
      behind(ml('ArrayFeatureExtractor', {}, ['X', 'chosen'])),
      { width: 5, initializers: { chosen: integers([4, 0, 2]) } },
    ],
    [
      'Gather',
      behind(plain('Gather', ['X', 'chosen'], ['Z'], { axis: 1 })),
      { width: 4, initializers: { chosen: integers([3, 1, 0]) } },
    ],
    [
      'an input a feature',
      behind(plain('Concat', ['a', 'b', 'c'], ['Z'], { axis: 1 })),
      { inputs: ['a', 'b', 'c'].map((name) => ({ name, shape: [null, 1] })) },
    ],
    [
      'FeatureVectorizer',
      behind(ml('FeatureVectorizer', { inputdimensions: [1, 2] }, ['a', 'b'])),
      {
        inputs: [
          { name: 'a', shape: [null, 1] },
          { name: 'b', shape: [null, 2] },
        ],
      },
    ],
    [
      'Reshape that keeps the rows',
      behind(plain('Reshape', ['X', 'shape'])),
      { initializers: { shape: integers([-1, 3]) } },
    ],
  ])('%s: agrees with ONNX Runtime over the input features', async (_, nodes, options) => {
    const parsed = await againstRuntime(regressionModel(nodes, options));
    expect(parsed.ensemble.featureCount).toBe(parsed.featureCount);
  });

  test.each<[string, number]>([
    ['float', ElementType.FLOAT],
    ['double', ElementType.DOUBLE],
    ['int64', ElementType.INT64],
  ])('a Scaler of %s rounds exactly as its kernel does', async (_, type) => {
    const bytes = regressionModel(behind(scaler([2.3, 0.3, 1.7], [0.1, -1.3, 3.7])), { type });
    const parsed = parseModel(bytes);
    const session = await startModelSession(bytes, { ...parsed, scoreTensor: 'Z', scoreIsOutput: false });
    const { rows, rowCount } = randomRows(parsed, 1000);
    const scaled = await session.run(rows, rowCount);
    await session.close();
    expect([...prepareRows(parsed, rows, rowCount)]).toEqual([...scaled]);
  });

  test('maps the trees to the chosen columns', () => {
    const parsed = parseModel(
      regressionModel(behind(ml('ArrayFeatureExtractor', {}, ['X', 'chosen'])), {
        width: 5,
        initializers: { chosen: integers([4, 0, 2]) },
      }),
    );
    expect(new Set(parsed.ensemble.feature.filter((_, node) => parsed.ensemble.trueChild[node]! >= 0))).toEqual(
      new Set([4, 0, 2]),
    );
  });

  test.each<[string, readonly WrittenNode[], Partial<WrittenModel>, RegExp]>([
    [
      'Normalizer',
      behind(ml('Normalizer', { norm: 'L2' })),
      {},
      /^node "the Normalizer" \(Normalizer\): .* it divides each row by a norm/,
    ],
    [
      'a projection',
      behind(plain('MatMul', ['X', 'matrix'])),
      { initializers: { matrix: floats([1, 0, 0, 0, 1, 0, 0, 0, 1], [3, 3]) } },
      /^node "the MatMul" \(MatMul\): .* it mixes features \(a projection/,
    ],
    [
      'one feature minus another',
      behind(plain('Gather', ['X', 'turned'], ['A'], { axis: 1 }), plain('Sub', ['X', 'A'])),
      { initializers: { turned: integers([2, 0, 1]) } },
      /^node "the Sub" \(Sub\): .* it mixes features \(the inputs 1 and 3\)/,
    ],
    [
      'a product of features',
      behind(plain('ReduceProd', ['X'], ['A'], { axes: [1] }), plain('Concat', ['A', 'X'], ['Z'], { axis: 1 })),
      {},
      /as PolynomialFeatures does/,
    ],
    [
      'an operator that is not known',
      behind(plain('Softmax', ['X'])),
      {},
      /^node "the Softmax" \(Softmax\): it comes before the trees/,
    ],
    [
      'a list without columns',
      [regressorNode(twoTrees)],
      { inputs: [{ name: 'X', shape: [null] }] },
      /^node "Trees" \(TreeEnsembleRegressor\): its input has no axis of columns/,
    ],
    ['a cycle', behind(plain('Identity', ['Q'], ['Z']), plain('Identity', ['Z'], ['Q'])), {}, /cycle/],
    [
      'two tree operators',
      [regressorNode(twoTrees, { output: 'y' }), regressorNode(twoTrees, { output: 'z', name: 'More' })],
      {
        outputs: [
          { name: 'y', shape: [null, 1] },
          { name: 'z', shape: [null, 1] },
        ],
      },
      /"Trees" \(TreeEnsembleRegressor\): it is one of 2 tree operators/,
    ],
  ])('%s is refused, naming the node and the reason', (_, nodes, options, message) => {
    const parse = (): unknown => parseModel(regressionModel(nodes, options));
    expect(parse).toThrow(UnexplainableModelError);
    expect(parse).toThrow(message);
  });
});

describe('nodes after the trees', () => {
  const trees = (output: string, name = output): WrittenNode => regressorNode(twoTrees, { output, name });

  test.each<[string, readonly WrittenNode[], Partial<WrittenModel>, (raw: number) => number]>([
    [
      'an average and an offset',
      [trees('a'), plain('Div', ['a', 'count'], ['b']), plain('Add', ['b', 'base'], ['y'])],
      { initializers: { count: floats([4], []), base: floats([3]) } },
      (raw) => raw / 4 + 3,
    ],
    [
      'a constant minus the trees',
      [trees('a'), plain('Sub', ['base', 'a'], ['b']), plain('Mul', ['two', 'b'], ['y'])],
      { initializers: { base: floats([3]), two: floats([2]) } },
      (raw) => 2 * (3 - raw),
    ],
    [
      'split operators, summed',
      [trees('a'), trees('b'), trees('c'), plain('Sum', ['a', 'b', 'c'], ['y'])],
      {},
      (raw) => 3 * raw,
    ],
    [
      'split operators, cast and subtracted',
      [
        trees('a'),
        trees('b'),
        plain('Cast', ['a'], ['d'], { to: ElementType.DOUBLE }),
        named(plain('Cast', ['b'], ['e'], { to: ElementType.DOUBLE }), 'second'),
        plain('Neg', ['e'], ['f']),
        plain('Sub', ['d', 'f'], ['g']),
        named(plain('Cast', ['g'], ['y'], { to: ElementType.FLOAT }), 'third'),
      ],
      {},
      (raw) => 2 * raw,
    ],
  ])('%s: folded into the trees', async (_, nodes, options, expected) => {
    const parsed = await againstRuntime(regressionModel(nodes, options));
    expect(parsed.scoreTensor).toBe('y');
    const single = parseModel(regressionModel([trees('y')]));
    const lowest = (model: typeof parsed): number =>
      model.ensemble.baseValues[0]! +
      [...model.ensemble.roots].reduce((sum, root) => {
        let node = root;
        while (model.ensemble.trueChild[node]! >= 0) node = model.ensemble.trueChild[node]!;
        return sum + model.ensemble.leafWeight[model.ensemble.leafStart[node]!]!;
      }, 0);
    expect(lowest(parsed)).toBeCloseTo(expected(lowest(single)), 6);
  });

  test('joined operators become outputs side by side', async () => {
    const parsed = await againstRuntime(
      regressionModel([trees('a'), trees('b'), plain('Concat', ['a', 'b'], ['y'], { axis: 1 })], {
        outputs: [{ name: 'y', shape: [null, 2] }],
      }),
    );
    expect(parsed.ensemble.outputCount).toBe(2);
  });

  test('a sigmoid and its complement are read up to the output', async () => {
    const nodes = [
      trees('margin'),
      plain('Sigmoid', ['margin'], ['p']),
      plain('Sub', ['one', 'p'], ['q']),
      plain('Concat', ['q', 'p'], ['y'], { axis: 1 }),
    ];
    const parsed = await againstRuntime(
      regressionModel(nodes, { initializers: { one: floats([1]) }, outputs: [{ name: 'y', shape: [null, 2] }] }),
    );
    expect(parsed.scoreTensor).toBe('y');
    expect(parsed.ensemble.outputCount).toBe(1);
    expect(parsed.columns.map(({ link, scale, shift }) => ({ link, scale, shift }))).toEqual([
      { link: 'LOGISTIC', scale: -1, shift: 1 },
      { link: 'LOGISTIC', scale: 1, shift: 0 },
    ]);
  });

  test('class probabilities can be normalised, cast and mapped', async () => {
    const node = classifierNode(twoTrees);
    const nodes = [{ ...node, outputs: ['label', 'votes'] }, ml('Normalizer', { norm: 'L1' }, ['votes'], ['scores'])];
    expect((await againstRuntime(classificationModel(node, { nodes }))).scoreTensor).toBe('scores');
  });
});
