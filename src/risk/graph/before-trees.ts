import { quoted, UnexplainableModelError } from '../errors.js';
import { NodeAttributes, nodeTitle } from '../onnx/node-attributes.js';
import type { OnnxNode } from '../onnx/model-proto.js';
import { cannotFollow, type ColumnResolver, type StepContext } from './column-step.js';
import { type Columns, identity } from './columns.js';
import { combiningSteps } from './combining-operators.js';
import { elementwiseSteps } from './elementwise-operators.js';
import { encodingSteps } from './encoding-operators.js';
import type { FeatureLimits } from './feature-limits.js';
import type { GraphIndex } from './graph-index.js';
import { selectionSteps } from './selection-operators.js';

/** The maximum length of a chain of nodes before the trees. */
const longestChain = 200;

/**
 * Follows the graph from its inputs to the trees. It accepts only operators whose every result depends on one input
 * feature. Then each column of the trees is a function of one feature; a feature may have several columns. SHAP values
 * of the trees, in which the columns of a feature play together, are exactly those of the input features: the game over
 * features is the same (Lundberg and Lee 2017, https://arxiv.org/abs/1705.07874).
 *
 * @param known gets every tensor that was followed, each after those that it is made of
 */
export function columnResolver(
  graph: GraphIndex,
  inputs: ReadonlyMap<string, Columns>,
  limits: FeatureLimits,
  known = new Map<string, Columns>(),
): ColumnResolver {
  for (const [tensor, columns] of inputs) known.set(tensor, columns);
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
    const columns = applyNode({ node, attributes: new NodeAttributes(node), resolve, graph, limits, tensor });
    if (columns.columns.length > mostColumns)
      throw cannotFollow(
        { node },
        `it makes more than ${mostColumns} columns`,
        'group rare categories before training',
      );
    open.delete(tensor);
    known.set(tensor, columns);
    return columns;
  };
  return resolve;
}

/** The maximum number of columns of a tensor before the trees. */
const mostColumns = 100_000;

function applyNode(context: StepContext): Columns {
  const { node } = context;
  const key = operatorOf(node);
  const step = steps.get(key);
  if (step) return step(context);
  throw cannotFollow(
    context,
    mixing.get(key) ?? 'RiskGraph does not know it as an operator that treats each feature on its own',
    mixing.has(key) ? 'leave that step out of the pipeline, train again and export again' : undefined,
  );
}

function operatorOf({ domain, operator }: OnnxNode): string {
  return domain === '' ? operator : `${domain}.${operator}`;
}

const steps = new Map([...elementwiseSteps, ...combiningSteps, ...encodingSteps, ...selectionSteps]);

const projection =
  'it mixes features (a projection such as PCA), so exact SHAP values per feature cannot be read off the trees';

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
    'it divides each row by a norm of all its features (Normalizer), so no feature acts alone and exact SHAP values per ' +
      'feature do not exist in the trees',
  ],
  ['MatMul', projection],
  ['Gemm', projection],
  ['LpNormalization', 'it divides each row by a norm of all its features'],
  ['Compress', 'it chooses rows by their values, as KNNImputer does'],
]);

/** Makes the columns of a model input: the features from `first` on, unchanged. */
export function inputColumns(elementType: number, first: number, dims: readonly number[], rowless: boolean): Columns {
  return {
    elementType,
    dims,
    rowless,
    columns: Array.from({ length: dims.reduce((product, size) => product * size, 1) }, (_, index) => ({
      feature: first + index,
      apply: identity,
      landmarks: [],
      approximate: false,
    })),
  };
}
