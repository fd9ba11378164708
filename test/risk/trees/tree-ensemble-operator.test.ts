import { describe, expect, test } from 'vitest';
import { ElementType } from '../../../src/risk/onnx/tensor-proto.js';
import { againstRuntime } from '../support/against-runtime.js';
import { writeModel, type AttributeValue } from '../support/onnx-writer.js';
import { floats } from '../support/small-models.js';

describe('TreeEnsemble version 5', () => {
  const tensor = (type: number, values: readonly number[]): AttributeValue => ({
    type,
    shape: [values.length],
    values,
  });
  const model = (
    changes: Record<string, AttributeValue> = {},
    type: number = ElementType.FLOAT,
    members: readonly number[] = [],
  ): Uint8Array =>
    writeModel({
      mlVersion: 5,
      nodes: [
        {
          operator: 'TreeEnsemble',
          domain: 'ai.onnx.ml',
          name: 'Trees',
          inputs: ['X'],
          outputs: ['y'],
          attributes: {
            n_targets: 1,
            tree_roots: [0, 1],
            nodes_featureids: [0, 1],
            nodes_splits: tensor(type, [0.5, 0.25]),
            nodes_modes: tensor(ElementType.UINT8, [0, 0]),
            nodes_truenodeids: [0, 2],
            nodes_trueleafs: [1, 1],
            nodes_falsenodeids: [1, 3],
            nodes_falseleafs: [1, 1],
            leaf_targetids: [0, 0, 0, 0],
            leaf_weights: tensor(type, [0.125, 0.375, 0.25, 0.5]),
            ...(members.length > 0 ? { membership_values: tensor(type, members) } : {}),
            ...changes,
          },
        },
      ],
      inputs: [{ name: 'X', type, shape: [null, 2] }],
      outputs: [{ name: 'y', type, shape: [null, null] }],
    });

  test('sum, average, float and double', async () => {
    await againstRuntime(model());
    await againstRuntime(model({ aggregate_function: 0 }));
    expect((await againstRuntime(model({}, ElementType.DOUBLE))).ensemble.precision).toBe(64);
  });

  test.each([0, 1, 2, 3, 4, 5])('mode %d', async (mode) => {
    await againstRuntime(
      model({ nodes_modes: tensor(ElementType.UINT8, [mode, mode]), nodes_missing_value_tracks_true: [1, 0] }),
    );
  });

  test.each([0, 1, 2, 3, 4])('post transform %d with one and two targets', async (post) => {
    // With one target ONNX Runtime applies PROBIT alone. It would ignore the others in silence.
    const one = againstRuntime(model({ post_transform: post }));
    await (post === 0 || post === 4 ? one : expect(one).rejects.toThrow(/is ignored by ONNX Runtime for one target/));
    await againstRuntime(model({ post_transform: post, n_targets: 2, leaf_targetids: [0, 1, 0, 1] }));
  });

  test.each([[[0, 3, Number.NaN]], [[0, 3]], [[-2, 0, 1000, Number.NaN]], [[0.5, 0, Number.NaN]]])(
    'set membership %j',
    async (members) => {
      await againstRuntime(
        model(
          { nodes_modes: tensor(ElementType.UINT8, [6, 0]), nodes_missing_value_tracks_true: [1, 0] },
          ElementType.FLOAT,
          members,
        ),
      );
    },
  );

  test('a tree of one leaf', async () => {
    await againstRuntime(model({ nodes_falsenodeids: [0, 3] }));
  });

  test.each<[string, Record<string, AttributeValue>, RegExp]>([
    ['MAX', { aggregate_function: 3 }, /aggregate_function MAX/],
    ['a mode that is unknown', { nodes_modes: tensor(ElementType.UINT8, [9, 0]) }, /mode 9/],
    ['a leaf that is not there', { nodes_truenodeids: [0, 9] }, /is leaf 9, which does not exist/],
    ['a root that is not there', { tree_roots: [5] }, /names node 5, but there are 2/],
    ['an empty set', { nodes_modes: tensor(ElementType.UINT8, [6, 0]) }, /empty set/],
    ['a cycle', { nodes_trueleafs: [0, 1] }, /its own ancestor/],
    ['splits of another type', { nodes_splits: floats([0.5]) }, /nodes_splits has 1 values/],
  ])('%s is refused', async (_, changes, message) => {
    await expect(againstRuntime(model(changes))).rejects.toThrow(message);
  });

  test('has no covers in its leaves, so that none are read', async () => {
    expect(
      (await againstRuntime(model({ nodes_hitrates: tensor(ElementType.FLOAT, [10, 10]) }))).ensemble.cover,
    ).toBeNull();
  });
});
