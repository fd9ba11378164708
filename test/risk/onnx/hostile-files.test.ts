import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/risk/check/random.js';
import { InvalidModelError } from '../../../src/risk/errors.js';
import { parseModel } from '../../../src/risk/parse-model.js';
import { fixtureNames, loadFixture } from '../fixtures.js';
import { ElementType } from '../../../src/risk/onnx/tensor-proto.js';
import { lengthField, varint, varintField } from '../support/onnx-writer.js';
import {
  classificationModel,
  classifierNode,
  floats,
  leaf,
  regressionModel,
  regressorNode,
  type Tree,
  twoTrees,
} from '../support/small-models.js';

/** Parses a file. Throws unless the result is a model or an error of one clear line. */
function outcome(bytes: Uint8Array): string {
  try {
    parseModel(bytes);
    return 'parsed';
  } catch (error) {
    if (!(error instanceof InvalidModelError)) throw error;
    expect(error.message).not.toContain('\n');
    expect(error.message.length).toBeLessThan(600);
    return 'refused';
  }
}

describe('damaged files', () => {
  test.each(fixtureNames)('%s: every truncation is refused', (name) => {
    const { bytes } = loadFixture(name);
    for (let part = 0; part < 50; part++)
      expect(outcome(bytes.subarray(0, Math.floor((bytes.length * part) / 50)))).toBe('refused');
  });

  test.each(['b2-xgb-binary-no-base', 'e1-edge-leq-nan', 'e2-edge-modes'])(
    '%s: a thousand mutations end in a model or one clear line',
    (name) => {
      const { bytes } = loadFixture(name);
      const random = seededRandom(7);
      const outcomes = new Set<string>();
      for (let round = 0; round < 1000; round++) {
        const mutant = Uint8Array.from(bytes);
        for (let change = 0; change <= round % 8; change++)
          mutant[Math.floor(random() * mutant.length)] = Math.floor(random() * 256);
        outcomes.add(outcome(round % 3 === 0 ? mutant.subarray(0, Math.floor(random() * mutant.length)) : mutant));
      }
      expect([...outcomes].sort()).toEqual(['parsed', 'refused']);
    },
  );

  test('random bytes and other formats are refused', () => {
    const random = seededRandom(8);
    for (let round = 0; round < 300; round++)
      expect(outcome(Uint8Array.from({ length: round }, () => Math.floor(random() * 256)))).toBe('refused');
    for (const text of ['', '{"a": 1}', '<html></html>', 'PK\u0003\u0004', '%PDF-1.7'])
      expect(outcome(new TextEncoder().encode(text))).toBe('refused');
  });

  test('a list longer than any forest is refused before it is read into memory', () => {
    const packed = lengthField(8, new Uint8Array(4 * 1024 * 1024 + 1));
    const node = Buffer.concat([
      lengthField(5, Buffer.concat([lengthField(1, Buffer.from('nodes_treeids')), packed])),
      lengthField(4, Buffer.from('TreeEnsembleRegressor')),
    ]);
    expect(() => parseModel(lengthField(7, lengthField(1, node)))).toThrow(/a list has more than/);
  });

  test('a tensor with fewer values than its shape says is refused', () => {
    const tensor = Buffer.concat([
      varintField(1, 2 ** 40),
      varintField(2, ElementType.FLOAT),
      lengthField(9, new Uint8Array(8)),
    ]);
    expect(() => parseModel(lengthField(7, lengthField(5, tensor)))).toThrow(/does not fit its 2 values/);
  });

  test('endlessly nested messages are refused', () => {
    let deep = new Uint8Array(0);
    for (let level = 0; level < 2000; level++) deep = Buffer.concat([lengthField(6, deep)]);
    expect(outcome(lengthField(7, lengthField(1, lengthField(5, deep))))).toBe('refused');
  });

  test('line breaks and escapes in names do not reach the message', () => {
    const bytes = regressionModel([
      { ...regressorNode(twoTrees, { aggregate_function: 'MAX' }), name: 'a\u001b[31m\nb' },
    ]);
    expect(() => parseModel(bytes)).toThrow(/^node "a \[31m b" \(TreeEnsembleRegressor\): aggregate_function MAX/);
  });

  test('a field number of zero is refused', () => {
    expect(() => parseModel(varint(0))).toThrow(/field number 0/);
  });
});

describe('trees that are not trees', () => {
  const regressor = (attributes: Parameters<typeof regressorNode>[1]): Uint8Array =>
    regressionModel([regressorNode(twoTrees, attributes)]);
  const chain = (depth: number): Tree => {
    let tree: Tree = leaf(1);
    for (let level = 0; level < depth; level++) tree = { feature: 0, at: level, yes: leaf(0), no: tree };
    return tree;
  };

  test.each<[string, Uint8Array, RegExp]>([
    [
      'a node that is its own child',
      regressionModel([
        regressorNode([{ feature: 0, at: 1, yes: leaf(1), no: leaf(2) }], { nodes_truenodeids: [0, 0, 0] }),
      ]),
      /its own ancestor/,
    ],
    [
      'a cycle of two nodes',
      regressionModel([
        regressorNode([{ feature: 0, at: 1, yes: { feature: 0, at: 0, yes: leaf(1), no: leaf(2) }, no: leaf(2) }], {
          nodes_truenodeids: [1, 0, 0, 0, 0],
        }),
      ]),
      /its own ancestor/,
    ],
    [
      'a child that is not there',
      regressor({ nodes_truenodeids: Array.from({ length: 12 }, () => 77) }),
      /child is node 77 of tree 0, which does not exist/,
    ],
    ['a node twice', regressor({ nodes_nodeids: [0, 1, 2, 3, 3, 5, 6, 7, 8, 0, 1, 2] }), /is listed twice/],
    ['a path without end', regressionModel([regressorNode([chain(1200)])]), /a path is longer than 1000 nodes/],
    [
      'a feature that the input does not have',
      regressionModel([regressorNode([{ feature: 9, at: 1, yes: leaf(1), no: leaf(2) }])]),
      /reads feature 9, but the input has 3 columns/,
    ],
    [
      'an unknown mode',
      regressionModel([regressorNode([{ feature: 0, at: 1, mode: 'BRANCH_SOMEHOW', yes: leaf(1), no: leaf(2) }])]),
      /mode that is unknown at position 0/,
    ],
    [
      'lists of different lengths',
      regressor({ nodes_featureids: [0] }),
      /nodes_featureids has 1 values where 12 are needed/,
    ],
    ['a weight that is no number', regressionModel([regressorNode([leaf(Number.NaN)])]), /not a finite number/],
    [
      'a base value that is no number',
      regressor({ base_values: { floats: [Infinity] } }),
      /base_values has a value that is not a finite number/,
    ],
    ['a target beyond the last', regressionModel([regressorNode([leaf(1, 3)])]), /a weight for output 3 of 1/],
    ['no targets', regressor({ n_targets: 0 }), /n_targets is 0/],
    [
      'a tree in two places',
      regressionModel([
        regressorNode([leaf(1), leaf(2), leaf(3)], {
          nodes_treeids: [0, 1, 0],
          nodes_nodeids: [0, 0, 1],
          target_treeids: [0, 1, 0],
          target_nodeids: [0, 0, 1],
        }),
      ]),
      /tree 0 are not listed together/,
    ],
    ['an unknown post transform', regressor({ post_transform: 'SIGMOIDISH' }), /post_transform is unknown/],
    ['no class labels', classificationModel(classifierNode(twoTrees, { classlabels_int64s: [] })), /0 class labels/],
    [
      'two base values for one class id',
      classificationModel(classifierNode(twoTrees, { base_values: { floats: [0.1, 0.2] } })),
      /two base values for two labels/,
    ],
    ['float lists and tensors at once', regressor({ nodes_values_as_tensor: floats([1, 2]) }), /both given/],
    [
      'doubles for a float input',
      regressionModel([
        regressorNode(twoTrees, { base_values_as_tensor: { type: ElementType.DOUBLE, shape: [1], values: [1] } }),
      ]),
      /does not have the type of the node's input \(float\)/,
    ],
    [
      'a graph without trees',
      regressionModel([{ operator: 'Identity', inputs: ['X'], outputs: ['y'] }]),
      /no tree ensemble \(its operators: "Identity"\)/,
    ],
    ['an input of words', regressionModel([regressorNode()], { type: ElementType.STRING }), /its input is of text/],
  ])('%s is refused', (_, bytes, message) => {
    expect(() => parseModel(bytes)).toThrow(message);
  });

  test('nodes with two parents are copied, unless the copies would be too many', () => {
    const levels = 60;
    const ids = Array.from({ length: levels + 1 }, (_, index) => index);
    const next = ids.map((id) => (id < levels ? id + 1 : 0));
    const lists = {
      nodes_treeids: ids.map(() => 0),
      nodes_nodeids: ids,
      nodes_featureids: ids.map(() => 0),
      nodes_modes: ids.map((id) => (id < levels ? 'BRANCH_LEQ' : 'LEAF')),
      nodes_values: { floats: ids },
      nodes_hitrates: { floats: ids },
      nodes_truenodeids: next,
      nodes_falsenodeids: next,
      nodes_missing_value_tracks_true: ids.map(() => 0),
      target_treeids: [0],
      target_nodeids: [levels],
      target_ids: [0],
      target_weights: { floats: [1] },
    };
    expect(() => parseModel(regressionModel([regressorNode([leaf(1)], lists)]))).toThrow(/share too many subtrees/);
    const shared = parseModel(
      regressionModel([
        regressorNode([{ feature: 0, at: 1, yes: { feature: 1, at: 0, yes: leaf(1), no: leaf(2) }, no: leaf(3) }], {
          nodes_falsenodeids: [2, 3, 0, 0, 0],
        }),
      ]),
    );
    expect(shared.ensemble.mode.length).toBe(5);
  });
});
