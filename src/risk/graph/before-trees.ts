import { quoted, UnexplainableModelError } from '../errors.js';
import { NodeAttributes, nodeTitle } from '../onnx/node-attributes.js';
import type { OnnxNode } from '../onnx/model-proto.js';
import { type Columns, identity } from './columns.js';
import { elementwiseSteps } from './elementwise-operators.js';
import type { GraphIndex } from './graph-index.js';
import { selectionSteps } from './selection-operators.js';
import type { ColumnResolver } from './column-step.js';

/** The maximum length of a chain of nodes before the trees. */
const longestChain = 200;

/**
 * Follows the graph from its inputs to the trees. It accepts only operators that treat every column on its own, or that
 * choose and order columns. Then each column of the trees is a function of one input feature. SHAP values of the trees
 * are exactly those of the input features: the game over features is the same (Lundberg and Lee 2017,
 * https://arxiv.org/abs/1705.07874).
 */
export function columnResolver(graph: GraphIndex, inputs: ReadonlyMap<string, Columns>): ColumnResolver {
  const known = new Map<string, Columns>(inputs);
  const open = new Set<string>();
  const resolve: ColumnResolver = (tensor) => {
    const found = known.get(tensor);
    if (found) return found;
    const node = graph.producer(tensor);
    if (!node)
      throw new UnexplainableModelError(
        `tensor ${quoted(tensor)}`,
        'the trees read it and nothing but a constant makes it',
        'export a model whose trees read the model input',
      );
    if (open.has(tensor))
      throw new UnexplainableModelError(`node ${nodeTitle(node)}`, 'the graph has a cycle', 'export the model again');
    if (open.size >= longestChain)
      throw new UnexplainableModelError(
        'ONNX file',
        `more than ${longestChain} nodes come before the trees`,
        'move preprocessing out of the model',
      );
    open.add(tensor);
    const columns = applyNode(node, resolve, graph, tensor);
    open.delete(tensor);
    known.set(tensor, columns);
    return columns;
  };
  return resolve;
}

function applyNode(node: OnnxNode, resolve: ColumnResolver, graph: GraphIndex, tensor: string): Columns {
  const key = node.domain === '' ? node.operator : `${node.domain}.${node.operator}`;
  const step = elementwiseSteps.get(key) ?? selectionSteps(tensor).get(key);
  if (step) return step(node, new NodeAttributes(node), resolve, graph);
  throw new UnexplainableModelError(
    `node ${nodeTitle(node)}`,
    mixing.get(key) ?? 'it comes before the trees and is not one of the operators that treat each feature on its own',
    'put the trees directly on the features, or behind Scaler, Imputer or Cast only',
  );
}

const mixing: ReadonlyMap<string, string> = new Map([
  ...['TreeEnsembleClassifier', 'TreeEnsembleRegressor', 'TreeEnsemble'].map(
    (operator) =>
      [
        `ai.onnx.ml.${operator}`,
        'other trees read its output (stacking), so exact SHAP values per feature cannot be read off the trees',
      ] as const,
  ),
  [
    'ai.onnx.ml.Normalizer',
    'it divides each row by a norm of all its features before the trees, so no feature acts alone and exact SHAP ' +
      'values per feature do not exist in the trees',
  ],
  [
    'MatMul',
    'it mixes features before the trees (a projection such as PCA), so exact SHAP values per feature cannot be read ' +
      'off the trees',
  ],
  [
    'Gemm',
    'it mixes features before the trees (a projection such as PCA), so exact SHAP values per feature cannot be read ' +
      'off the trees',
  ],
  [
    'ai.onnx.ml.OneHotEncoder',
    'it makes several columns of one feature, whose SHAP values do not add up to the exact value of the feature',
  ],
]);

/** Makes the columns of a model input: the features from `first` on, unchanged. */
export function inputColumns(elementType: number, first: number, count: number): Columns {
  return {
    elementType,
    columns: Array.from({ length: count }, (_, index) => ({ feature: first + index, apply: identity })),
  };
}
