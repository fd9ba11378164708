import { InvalidModelError, quoted, UnexplainableModelError } from './errors.js';
import { readAfterTrees } from './graph/after-trees.js';
import { columnResolver } from './graph/before-trees.js';
import type { Column, Columns } from './graph/columns.js';
import { GraphIndex } from './graph/graph-index.js';
import { modelInputs, type ModelInput } from './graph/model-inputs.js';
import { rawOutputsOf } from './graph/raw-outputs.js';
import type { TreeSum } from './graph/tree-sums.js';
import { type OnnxModel, type OnnxNode, readModel } from './onnx/model-proto.js';
import { nodeTitle } from './onnx/node-attributes.js';
import { numberTypes } from './onnx/number-types.js';
import { ElementType } from './onnx/tensor-proto.js';
import type { OutputColumn } from './output-columns.js';
import type { TreeEnsemble } from './tree-ensemble.js';
import { type EnsembleShare, mergeEnsembles } from './trees/merge-ensembles.js';
import type { ParsedTrees } from './trees/parsed-trees.js';
import { readClassicTrees } from './trees/read-classic-trees.js';
import { readUnifiedTrees } from './trees/read-unified-trees.js';

/** An ONNX model of trees that was read. Its features are the columns of its inputs, in order. */
export interface ParsedModel {
  readonly inputs: readonly ModelInput[];
  readonly featureCount: number;
  /** The trees over the model's features (see `prepareRows`). Outputs are SHAP's: raw, before the post transform. */
  readonly ensemble: TreeEnsemble;
  /** The tensor that the model gives out, and that is compared with the trees: its last output of numbers. */
  readonly scoreTensor: string;
  /** The columns of that tensor, as functions of the raw outputs. */
  readonly columns: readonly OutputColumn[];
  /** True when the score tensor is already an output of the model. */
  readonly scoreIsOutput: boolean;
  /** True when the file declares the number of features of a row. */
  readonly widthDeclared: boolean;
  /** Class labels as text; null for regressors. */
  readonly labels: readonly string[] | null;
  /** Features that only hold whole numbers (category codes), see `ParsedTrees.wholeColumns`. */
  readonly wholeFeatures: ReadonlySet<number>;
  /**
   * For each feature, the function of Scaler, Imputer and similar operators: from its value to the value that trees
   * compare.
   */
  readonly steps: readonly ((value: number) => number)[];
}

/**
 * Reads an ONNX file with trees, and the nodes that exporters put around them:
 *
 * 1. The file becomes plain objects, and its tree operators are found.
 * 2. The inputs are read and followed to the trees, and each tree operator is read.
 * 3. The operators after the trees are read up to the output, as functions of sums of the trees.
 * 4. The trees get indices of input features instead of columns, and the ensembles become one.
 *
 * @param options.featureCount width of a row, if the model does not declare it; by default the widest that the trees
 * need
 * @throws InvalidModelError when the file is malformed or needs an unsupported feature
 * @throws UnexplainableModelError when exact SHAP values of the input features do not exist; it names the node and the
 * reason
 */
export function parseModel(bytes: Uint8Array, options: { featureCount?: number } = {}): ParsedModel {
  const model = readModel(bytes);
  const graph = new GraphIndex(model);
  const nodes = treeNodes(model);
  const inputs = modelInputs(model, nodes, options.featureCount);
  const featureCount = inputs.reduce((sum, input) => sum + input.columns.columns.length, 0);
  const resolve = columnResolver(graph, new Map(inputs.map((input) => [input.name, input.columns])));
  const operators = nodes.map((node) => {
    const columns = resolve(node.inputs[0] ?? '');
    return { node, columns, trees: readTrees(node, columns) };
  });
  const output = readAfterTrees(graph, operators);
  const raw = rawOutputsOf(output.columns);
  const steps: ((value: number) => number)[] = [];
  const chosen = new Map<number, Column>();
  const shares = operators.map(({ node, columns, trees }) => ({
    ensemble: overInputFeatures(node, trees.ensemble, columns, featureCount, chosen),
    targets: targetsOf(trees, raw.sums),
  }));
  if (new Set(shares.map(({ ensemble }) => ensemble.precision)).size > 1)
    throw new UnexplainableModelError(
      'ONNX file',
      'its tree operators compare in different precisions',
      'export them with one input type',
    );
  const ensemble = mergeEnsembles(
    shares,
    Float64Array.from(raw.sums, ({ offset }) => offset),
  );
  for (let feature = 0; feature < featureCount; feature++)
    steps.push(rounded(chosen.get(feature), inputs, feature, ensemble.precision));
  return {
    inputs,
    featureCount,
    ensemble,
    scoreTensor: output.tensor,
    columns: raw.columns,
    scoreIsOutput: graph.isOutput(output.tensor),
    widthDeclared: inputs.every((input) => input.widthDeclared),
    labels: labelsOf(operators, raw.columns.length),
    wholeFeatures: wholeFeatures(operators),
    steps,
  };
}

/**
 * Converts rows to the values that the trees compare.
 * @param rows row-major, rowCount x featureCount, NaN = missing
 */
export function prepareRows(model: ParsedModel, rows: Float64Array, rowCount: number): Float64Array {
  const prepared = new Float64Array(rowCount * model.featureCount);
  for (let place = 0; place < prepared.length; place++)
    prepared[place] = model.steps[place % model.featureCount]!(rows[place]!);
  return prepared;
}

function treeNodes(model: OnnxModel): OnnxNode[] {
  const nodes = model.nodes.filter((node) => node.domain === 'ai.onnx.ml' && node.operator.startsWith('TreeEnsemble'));
  if (nodes.length === 0) {
    const operators = [...new Set(model.nodes.map((node) => quoted(node.operator)))].slice(0, 5).join(', ');
    throw new InvalidModelError(
      'ONNX file',
      `it holds no tree ensemble (its operators: ${operators || 'none'})`,
      'export a forest or boosted trees as TreeEnsembleClassifier, TreeEnsembleRegressor or TreeEnsemble',
    );
  }
  return nodes;
}

function readTrees(node: OnnxNode, columns: Columns): ParsedTrees {
  const { elementType } = columns;
  if (elementType === ElementType.BOOL)
    throw new InvalidModelError(`node ${nodeTitle(node)}`, 'its input is boolean', 'cast the input to float');
  const precision = elementType === ElementType.DOUBLE ? 64 : 32;
  switch (node.operator) {
    case 'TreeEnsembleClassifier':
    case 'TreeEnsembleRegressor':
      return readClassicTrees(node, columns.columns.length, precision);
    case 'TreeEnsemble':
      return readUnifiedTrees(node, columns.columns.length, precision);
    default:
      throw new InvalidModelError(
        `node ${nodeTitle(node)}`,
        'this tree operator is unknown',
        'export TreeEnsembleClassifier, TreeEnsembleRegressor or TreeEnsemble',
      );
  }
}

/** Returns the same trees with the indices of input features instead of columns. */
function overInputFeatures(
  node: OnnxNode,
  ensemble: TreeEnsemble,
  columns: Columns,
  featureCount: number,
  chosen: Map<number, Column>,
): TreeEnsemble {
  const feature = ensemble.feature.map((index, place) => {
    if (ensemble.trueChild[place]! < 0) return 0;
    const column = columns.columns[index]!;
    const earlier = chosen.get(column.feature);
    if (earlier && earlier.apply !== column.apply) {
      throw new UnexplainableModelError(
        `node ${nodeTitle(node)}`,
        `input feature ${column.feature} reaches the trees as several columns made in different ways, whose SHAP ` +
          'values do not add up to the exact value of the feature',
        'give the trees one column per feature',
      );
    }
    chosen.set(column.feature, column);
    return column.feature;
  });
  return { ...ensemble, feature, featureCount };
}

function rounded(
  column: Column | undefined,
  inputs: readonly ModelInput[],
  feature: number,
  precision: 32 | 64,
): (value: number) => number {
  const input = inputs.find((candidate) => feature < candidate.firstFeature + candidate.columns.columns.length)!;
  const asInput = numberTypes.get(input.elementType)!.round;
  const asCompared = precision === 32 ? Math.fround : (value: number): number => value;
  return column ? (value) => asCompared(column.apply(asInput(value))) : (value) => asCompared(asInput(value));
}

function wholeFeatures(operators: readonly { columns: Columns; trees: ParsedTrees }[]): Set<number> {
  return new Set(
    operators.flatMap(({ columns, trees }) =>
      [...trees.wholeColumns].map((column) => columns.columns[column]!.feature),
    ),
  );
}

/** Returns the labels of the output's columns, when the tree operators are classifiers of these labels. */
function labelsOf(operators: readonly { trees: ParsedTrees }[], columnCount: number): readonly string[] | null {
  const labels = operators[0]!.trees.labels;
  const shared = operators.every(({ trees }) => trees.labels?.join('\n') === labels?.join('\n'));
  return labels && shared && (labels.length === columnCount || labels.length === 2) ? labels : null;
}

/** Returns the raw outputs that each output of a tree operator goes to. */
function targetsOf(trees: ParsedTrees, sums: readonly TreeSum[]): EnsembleShare['targets'] {
  const targets = Array.from({ length: trees.ensemble.outputCount }, (): { output: number; factor: number }[] => []);
  sums.forEach(({ terms }, output) => {
    for (const [own, factor] of terms.get(trees) ?? []) targets[own]!.push({ output, factor });
  });
  return targets;
}
