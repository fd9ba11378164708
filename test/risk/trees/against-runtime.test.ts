import { describe, expect, test } from 'vitest';
import { fixtureNames, loadFixture } from '../fixtures.js';
import { parseModel } from '../../../src/risk/parse-model.js';
import { againstRuntime } from '../support/against-runtime.js';
import { ElementType } from '../../../src/risk/onnx/tensor-proto.js';
import type { AttributeValue } from '../support/onnx-writer.js';
import {
  classificationModel,
  classifierNode,
  leaf,
  regressionModel,
  regressorNode,
  type Tree,
  twoTrees,
} from '../support/small-models.js';

const mixed: readonly Tree[] = [
  { feature: 0, at: 0.5, yes: leaf(-1), no: leaf(0.3) },
  { feature: 1, at: 0.5, yes: leaf(0.25), no: leaf(2) },
];
const withClass = (trees: readonly Tree[], output: number): readonly Tree[] =>
  trees.map((tree): Tree =>
    'at' in tree
      ? { ...tree, yes: withClass([tree.yes], output)[0]!, no: withClass([tree.no], output)[0]! }
      : { weights: tree.weights.map(([, weight]) => [output, weight]) },
  );
const postTransforms = ['NONE', 'LOGISTIC', 'SOFTMAX', 'SOFTMAX_ZERO', 'PROBIT'];

describe('the parsed trees against ONNX Runtime', () => {
  test.each(fixtureNames)('%s', async (name) => {
    await againstRuntime(loadFixture(name).bytes);
  });

  test.each(
    postTransforms.flatMap((post) =>
      [0, 1].flatMap((id) => [undefined, 0.125].map((base) => [post, id, base] as const)),
    ),
  )('binary classifier, %s, class id %d, base value %s', async (post, id, base) => {
    const attributes: Record<string, AttributeValue> = {
      post_transform: post,
      ...(base === undefined ? {} : { base_values: { floats: [base] } }),
    };
    for (const trees of [twoTrees, mixed]) {
      const parsed = await againstRuntime(classificationModel(classifierNode(withClass(trees, id), attributes)));
      expect(parsed.ensemble.outputCount).toBe(1);
    }
  });

  test.each(postTransforms.flatMap((post) => [undefined, [0.125]].map((base) => [post, base] as const)))(
    'binary classifier with two class ids, %s, base values %s',
    async (post, base) => {
      const trees = [
        {
          feature: 0,
          at: 0.5,
          yes: {
            weights: [
              [0, 0.25],
              [1, 0.75],
            ],
          },
          no: {
            weights: [
              [0, 0.625],
              [1, 0.375],
            ],
          },
        },
      ] as const;
      const parsed = await againstRuntime(
        classificationModel(
          classifierNode(trees, { post_transform: post, ...(base ? { base_values: { floats: base } } : {}) }),
        ),
      );
      expect(parsed.ensemble.outputCount).toBe(2);
    },
  );

  test.each(postTransforms)('three classes, %s, with and without base values, string labels', async (post) => {
    const trees: readonly Tree[] = [
      { feature: 0, at: 0.5, yes: leaf(0.25, 0), no: leaf(0.5, 1) },
      {
        feature: 1,
        at: 0.5,
        yes: leaf(0.25, 0),
        no: {
          weights: [
            [1, 0.125],
            [2, 0.375],
          ],
        },
      },
    ];
    for (const base of [[], [0.125, 0.25, 0.0625]]) {
      const node = classifierNode(trees, {
        classlabels_int64s: [],
        classlabels_strings: ['low', 'medium', 'high'],
        post_transform: post,
        base_values: { floats: base },
      });
      const parsed = await againstRuntime(
        classificationModel(node, {
          outputs: [
            { name: 'label', type: ElementType.STRING, shape: [null] },
            { name: 'scores', shape: [null, 3] },
          ],
        }),
      );
      expect(parsed.labels).toEqual(['low', 'medium', 'high']);
    }
  });

  test.each(postTransforms)('regressors with one and two targets, %s', async (post) => {
    await againstRuntime(
      regressionModel([regressorNode(twoTrees, { post_transform: post, base_values: { floats: [0.05] } })]),
    );
    const two: readonly Tree[] = [{ feature: 0, at: 0.5, yes: leaf(0.25, 0), no: leaf(0.5, 1) }];
    await againstRuntime(
      regressionModel([regressorNode(two, { n_targets: 2, post_transform: post })], {
        outputs: [{ name: 'y', shape: [null, 2] }],
      }),
    );
  });

  test('a target whose base value ONNX Runtime may leave out is refused; one weight in each leaf keeps it', async () => {
    const outputs = [{ name: 'y', shape: [null, 2] }];
    const some: Tree = { feature: 0, at: 0.5, yes: leaf(0.25, 0), no: leaf(0.5, 1) };
    const every: Tree = {
      feature: 1,
      at: 0.5,
      yes: {
        weights: [
          [0, 0],
          [1, 0.125],
        ],
      },
      no: {
        weights: [
          [0, 0.25],
          [1, 0],
        ],
      },
    };
    const model = (trees: readonly Tree[], base: readonly number[]): Uint8Array =>
      regressionModel([regressorNode(trees, { n_targets: 2, base_values: { floats: base } })], { outputs });
    expect(() => parseModel(model([some], [0.5, 4]))).toThrow(/no leaf with a weight for target 0/);
    expect(() => parseModel(model([{ ...every, ...some, no: leaf(1, 0) }], [0.5, 4]))).toThrow(/for target 1/);
    const parsed = await againstRuntime(model([some, every], [0.5, 4]));
    expect(parsed.ensemble.baseValues).toEqual(Float64Array.of(0.5, 4));
    await againstRuntime(model([some], [0, 0]));
    const binary = (trees: readonly Tree[]): Uint8Array =>
      classificationModel(classifierNode(trees, { base_values: { floats: [0.5] } }));
    expect(() => parseModel(binary([some]))).toThrow(/no leaf with a weight for class 0/);
    await againstRuntime(binary([some, every]));
  });

  test.each(['BRANCH_LEQ', 'BRANCH_LT', 'BRANCH_GTE', 'BRANCH_GT', 'BRANCH_EQ', 'BRANCH_NEQ'])(
    'mode %s alone and among others, missing values either way',
    async (mode) => {
      for (const tracks of [false, true]) {
        const one: Tree = {
          feature: 0,
          mode,
          at: 1,
          tracks,
          yes: { feature: 0, mode, at: 2, yes: leaf(1), no: leaf(2) },
          no: { feature: 1, mode, at: 0, tracks: !tracks, yes: leaf(4), no: leaf(8) },
        };
        await againstRuntime(regressionModel([regressorNode([one])]));
        await againstRuntime(regressionModel([regressorNode([one, ...twoTrees])]));
      }
    },
  );

  test('AVERAGE divides the sum of the trees, but not the base value', async () => {
    const parsed = await againstRuntime(
      regressionModel([regressorNode(twoTrees, { aggregate_function: 'AVERAGE', base_values: { floats: [10] } })]),
    );
    expect(parsed.ensemble.baseValues[0]).toBe(10);
  });

  test('the first of two weights of a leaf for one target counts; a leaf without weight is 0', async () => {
    await againstRuntime(
      regressionModel([
        regressorNode([
          {
            feature: 0,
            at: 0,
            yes: {
              weights: [
                [0, 1],
                [0, 5],
              ],
            },
            no: { weights: [] },
          },
          ...twoTrees,
        ]),
      ]),
    );
  });

  test('forests that have only leaves', async () => {
    await againstRuntime(
      classificationModel(classifierNode([leaf(0.25), leaf(0.125)], { post_transform: 'LOGISTIC' })),
    );
    await againstRuntime(regressionModel([regressorNode([leaf(-3)])]));
  });

  test('shared subtrees, thresholds at the ends of float32, -0 and infinity', async () => {
    const tree = (at: number): Tree => ({ feature: 0, at, yes: leaf(1), no: leaf(2) });
    await againstRuntime(
      regressionModel([
        regressorNode([
          tree(-0),
          tree(3.4028234663852886e38),
          tree(2 ** -149),
          tree(Infinity),
          tree(-Infinity),
          tree(16777216),
        ]),
      ]),
    );
  });

  test.each([ElementType.DOUBLE, ElementType.INT64])('classifier on inputs of element type %d', async (type) => {
    await againstRuntime(
      classificationModel(classifierNode(twoTrees), { inputs: [{ name: 'X', type, shape: [null, 3] }] }),
    );
  });

  test('packed lists are read like unpacked ones', async () => {
    await againstRuntime(regressionModel([regressorNode()], { packed: true }));
  });

  test('a model for one row per run, and one that does not give its width', async () => {
    await againstRuntime(
      regressionModel([regressorNode()], {
        inputs: [{ name: 'X', shape: [1, 3] }],
        outputs: [{ name: 'y', shape: [1, 1] }],
      }),
    );
    const parsed = await againstRuntime(regressionModel([regressorNode()], { width: null }), { featureCount: 5 });
    expect(parsed.featureCount).toBe(5);
  });
});
