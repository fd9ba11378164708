import { ElementType } from '../../../src/risk/onnx/tensor-proto.js';
import {
  type AttributeValue,
  type TensorValue,
  writeModel,
  type WrittenModel,
  type WrittenNode,
} from './onnx-writer.js';

/** A node of a hand-written tree. Leaves have `weights`: [output, weight] pairs. */
export type Tree =
  | {
      readonly feature: number;
      readonly mode?: string;
      readonly at: number;
      readonly tracks?: boolean;
      readonly yes: Tree;
      readonly no: Tree;
      readonly cover?: number;
    }
  | { readonly weights: readonly (readonly [number, number])[]; readonly cover?: number };

export const leaf = (weight: number, output = 0): Tree => ({ weights: [[output, weight]] });

/** Two trees over three features, with a repeated feature and a branch of depth 3. */
export const twoTrees: readonly Tree[] = [
  {
    feature: 0,
    at: 0.5,
    yes: { feature: 1, at: -1, yes: leaf(0.1), no: leaf(0.2) },
    no: { feature: 0, at: 2, yes: leaf(0.05), no: { feature: 2, at: 1.5, yes: leaf(0.3), no: leaf(0.4) } },
  },
  { feature: 2, at: 0.25, yes: leaf(0.15), no: leaf(0.35) },
];

/** Attributes of TreeEnsembleClassifier or Regressor for trees. */
function treeAttributes(trees: readonly Tree[], kind: 'class' | 'target'): Record<string, AttributeValue> {
  const lists = {
    treeids: [] as number[],
    nodeids: [] as number[],
    featureids: [] as number[],
    values: [] as number[],
    hitrates: [] as number[],
    truenodeids: [] as number[],
    falsenodeids: [] as number[],
    missing_value_tracks_true: [] as number[],
  };
  const modes: string[] = [];
  const weights: { tree: number; node: number; output: number; weight: number }[] = [];
  trees.forEach((tree, id) => {
    let next = 0;
    const add = (node: Tree): number => {
      const index = next++;
      const place = modes.length;
      lists.treeids.push(id);
      lists.nodeids.push(index);
      lists.hitrates.push(node.cover ?? 1);
      modes.push('at' in node ? (node.mode ?? 'BRANCH_LEQ') : 'LEAF');
      lists.featureids.push('at' in node ? node.feature : 0);
      lists.values.push('at' in node ? node.at : 0);
      lists.missing_value_tracks_true.push('at' in node && node.tracks ? 1 : 0);
      lists.truenodeids.push(0);
      lists.falsenodeids.push(0);
      if ('at' in node) {
        lists.truenodeids[place] = add(node.yes);
        lists.falsenodeids[place] = add(node.no);
      } else node.weights.forEach(([output, weight]) => weights.push({ tree: id, node: index, output, weight }));
      return index;
    };
    add(tree);
  });
  return {
    nodes_treeids: lists.treeids,
    nodes_nodeids: lists.nodeids,
    nodes_featureids: lists.featureids,
    nodes_modes: modes,
    nodes_values: { floats: lists.values },
    nodes_hitrates: { floats: lists.hitrates },
    nodes_truenodeids: lists.truenodeids,
    nodes_falsenodeids: lists.falsenodeids,
    nodes_missing_value_tracks_true: lists.missing_value_tracks_true,
    [`${kind}_treeids`]: weights.map(({ tree }) => tree),
    [`${kind}_nodeids`]: weights.map(({ node }) => node),
    [`${kind}_ids`]: weights.map(({ output }) => output),
    [`${kind}_weights`]: { floats: weights.map(({ weight }) => weight) },
  };
}

export function regressorNode(
  trees: readonly Tree[] = twoTrees,
  {
    input = 'X',
    output = 'y',
    name = 'Trees',
    ...attributes
  }: Record<string, AttributeValue> & { input?: string; output?: string; name?: string } = {},
): WrittenNode {
  return {
    operator: 'TreeEnsembleRegressor',
    domain: 'ai.onnx.ml',
    name,
    inputs: [input],
    outputs: [output],
    attributes: { n_targets: 1, ...treeAttributes(trees, 'target'), ...attributes },
  };
}

export function classifierNode(
  trees: readonly Tree[] = twoTrees,
  attributes: Readonly<Record<string, AttributeValue>> = {},
): WrittenNode {
  return {
    operator: 'TreeEnsembleClassifier',
    domain: 'ai.onnx.ml',
    name: 'Trees',
    inputs: ['X'],
    outputs: ['label', 'scores'],
    attributes: { classlabels_int64s: [0, 1], ...treeAttributes(trees, 'class'), ...attributes },
  };
}

/** A model with input X of `width` columns and output y. */
export function regressionModel(
  nodes: readonly WrittenNode[] = [regressorNode()],
  options: Partial<WrittenModel> & { width?: number | null; type?: number } = {},
): Uint8Array {
  const { width = 3, type = ElementType.FLOAT, ...rest } = options;
  return writeModel({
    nodes,
    inputs: [{ name: 'X', type, shape: [null, width] }],
    outputs: [{ name: 'y', shape: [null, 1] }],
    ...rest,
  });
}

export function classificationModel(
  node: WrittenNode = classifierNode(),
  options: Partial<WrittenModel> = {},
): Uint8Array {
  return writeModel({
    nodes: [node],
    inputs: [{ name: 'X', shape: [null, 3] }],
    outputs: [
      { name: 'label', type: ElementType.INT64, shape: [null] },
      { name: 'scores', shape: [null, 2] },
    ],
    ...options,
  });
}

export const floats = (values: readonly number[], shape: readonly number[] = [values.length]): TensorValue => ({
  type: ElementType.FLOAT,
  shape,
  values,
});
export const integers = (values: readonly number[], shape: readonly number[] = [values.length]): TensorValue => ({
  type: ElementType.INT64,
  shape,
  values,
});
