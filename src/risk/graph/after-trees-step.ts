import { UnexplainableModelError } from '../errors.js';
import type { OnnxNode } from '../onnx/model-proto.js';
import { type NodeAttributes, nodeTitle } from '../onnx/node-attributes.js';
import type { OnnxTensor } from '../onnx/tensor-proto.js';
import { dimension, rowsDimension, type TreeTensor } from './tree-tensor.js';

/** An input of a node after the trees: a tensor of the trees, or a constant. Neither: it depends on labels. */
export interface Operand {
  readonly name: string;
  readonly tensor: TreeTensor | undefined;
  readonly constant: OnnxTensor | undefined;
}

/**
 * Reads one node after the trees.
 * @returns one tensor per output of the node
 * @throws UnexplainableModelError when the result is not a function of one sum of the trees
 */
export type AfterTreesStep = (
  node: OnnxNode,
  attributes: NodeAttributes,
  operands: readonly Operand[],
) => readonly TreeTensor[];

/** Tells whether the operator of a node is one whose part in the output is known, and refused. */
export function isTelling(node: OnnxNode): boolean {
  return reasons.has(operatorKey(node));
}

/** Names a node's operator with its domain, as the tables of operators do. */
export function operatorKey(node: OnnxNode): string {
  return node.domain === '' ? node.operator : `${node.domain}.${node.operator}`;
}

/** Makes the refusal of a node after the trees. By default, the reason is that of its operator. */
export function refusedAfterTrees(node: OnnxNode, reason?: string, remedy?: string): UnexplainableModelError {
  const known = reasons.get(operatorKey(node));
  return new UnexplainableModelError(
    `node ${nodeTitle(node)}`,
    `it comes after the trees, and ${reason ?? known?.[0] ?? 'the output is then no function of one sum of the trees'}`,
    remedy ?? known?.[1] ?? 'export the trees alone, and put the rest into the calibration of the manifest',
  );
}

/** A reason and its remedy. */
type Refusal = readonly [string, string];

const choosing: Refusal = [
  'it chooses by comparing (a vote, a median, a nearest point), so the output is no function of one sum of the trees',
  'export the model that it chooses among, or one that averages (soft voting); an isotonic calibration goes into the ' +
    'manifest as PIECEWISE_LINEAR; in place of a hinge loss train with binary:logistic',
];
const second: Refusal = [
  'a second model reads the outputs of the trees (stacking), so the output is no function of one sum of the trees',
  'serve one of the models that it joins, or one that averages them',
];
const sharing: Refusal = [
  'it divides by a norm of the columns, which do not always add up to 1, so no column is a function of one sum of trees',
  'export the model without it, one model per outcome',
];

const reasons: ReadonlyMap<string, Refusal> = new Map<string, Refusal>([
  ...[
    'ArgMax',
    'ArgMin',
    'TopK',
    'Greater',
    'GreaterOrEqual',
    'Less',
    'LessOrEqual',
    'Equal',
    'Where',
    'Not',
    'And',
    'Or',
  ]
    .concat(['Max', 'Min', 'ReduceMax', 'ReduceMin', 'GatherElements', 'CumSum', 'Sign', 'ai.onnx.ml.Binarizer'])
    .map((operator): [string, Refusal] => [operator, choosing]),
  ...['ai.onnx.ml.LinearClassifier', 'ai.onnx.ml.LinearRegressor', 'MatMul', 'Gemm', 'ai.onnx.ml.SVMClassifier']
    .concat(['ai.onnx.ml.SVMRegressor'])
    .map((operator): [string, Refusal] => [operator, second]),
  ['ai.onnx.ml.Normalizer', sharing],
  ['LpNormalization', sharing],
  [
    'ai.onnx.ml.LabelEncoder',
    [
      'it looks the number of a leaf up in a table (an isolation forest), so the output is no sum of what the trees give',
      'export a forest or boosted trees; serve the anomaly score outside of RiskGraph',
    ],
  ],
]);

/** Returns the tensor of the trees that a node reads first. */
export const first = (node: OnnxNode, operands: readonly Operand[]): TreeTensor => {
  const tensor = operands[0]?.tensor;
  if (!tensor) throw refusedAfterTrees(node, 'it does not read the scores of the trees first');
  return tensor;
};

/** Reads a list of whole numbers: an attribute in older operator sets, an input in newer ones. */
export function list(
  node: OnnxNode,
  attributes: NodeAttributes,
  operands: readonly Operand[],
  name: string,
  input: number,
): number[] | undefined {
  if (attributes.has(name)) return [...attributes.integers(name)];
  const operand = operands[input];
  if (!operand || operand.name === '') return undefined;
  if (!operand.constant) throw refusedAfterTrees(node, `its ${name} are computed`);
  return [...operand.constant.values];
}

/** Requires a dimension that is not that of the rows. */
export function column(node: OnnxNode, tensor: TreeTensor, axis: number): number {
  const place = dimension(tensor, axis);
  if (place === undefined || tensor.shape[place] === rowsDimension)
    throw refusedAfterTrees(node, 'it works across rows, so a patient’s output depends on other patients');
  return place;
}

/** Requires that a step found a result. */
export const required = (node: OnnxNode, tensor: TreeTensor | undefined): readonly TreeTensor[] => {
  if (!tensor) throw refusedAfterTrees(node, 'it rearranges rows and columns in a way that is not read');
  return [tensor];
};
