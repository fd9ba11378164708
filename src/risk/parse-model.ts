import { InvalidModelError, quoted, UnexplainableModelError } from './errors.js';
import { readAfterTrees } from './graph/after-trees.js';
import { columnResolver } from './graph/before-trees.js';
import type { Columns } from './graph/columns.js';
import { FeatureLimits } from './graph/feature-limits.js';
import { GraphIndex } from './graph/graph-index.js';
import { modelInputs, type ModelInput } from './graph/model-inputs.js';
import { rawOutputsOf } from './graph/raw-outputs.js';
import type { TreeSum } from './graph/tree-sums.js';
import { type ComparedColumn, ComparedColumns } from './graph/compared-columns.js';
import { type OnnxModel, type OnnxNode, readModel } from './onnx/model-proto.js';
import { nodeTitle } from './onnx/node-attributes.js';
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
  /** The trees over `comparedColumns` (see `prepareRows`). Outputs are SHAP's: raw, before the post transform. */
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
   * The columns that the trees compare, made of the features by Scaler, Imputer, OneHotEncoder and the like. Each
   * feature has the column of its own index; a feature with several columns has the others behind all features.
   */
  readonly comparedColumns: readonly ComparedColumn[];
  /** The limits of the values of the features, and the texts that the graph knows. */
  readonly limits: FeatureLimits;
}

/**
 * Reads an ONNX file with trees, and the nodes that exporters put around them:
 *
 * 1. The file becomes plain objects, and its tree operators are found.
 * 2. The inputs are read and followed to the trees, and each tree operator is read.
 * 3. The operators after the trees are read up to the output, as functions of sums of the trees.
 * 4. The trees get the columns that differ, each owned by its feature, and the ensembles become one.
 *
 * @param options.featureCount width of a row, if the model does not declare it; by default the widest that the trees
 * need
 * @throws InvalidModelError when the file is malformed or needs an unsupported feature
 * @throws UnexplainableModelError when exact SHAP values of the input features do not exist; it names the node and the
 * reason
 */
export function parseModel(bytes: Uint8Array, options: { featureCount?: number } = {}): ParsedModel {
  return assemble(readGraph(bytes, options.featureCount));
}

/** A file whose graph was read up to its trees. */
interface ReadGraph {
  readonly graph: GraphIndex;
  readonly inputs: readonly ModelInput[];
  readonly featureCount: number;
  readonly limits: FeatureLimits;
  readonly operators: readonly { readonly node: OnnxNode; readonly columns: Columns; readonly trees: ParsedTrees }[];
  /** Every tensor before the trees, each after those that it is made of. */
  readonly before: ReadonlyMap<string, Columns>;
}

function readGraph(bytes: Uint8Array, width?: number): ReadGraph {
  const model = readModel(bytes);
  const graph = new GraphIndex(model);
  const nodes = treeNodes(model);
  const inputs = modelInputs(model, nodes, width);
  const featureCount = inputs.reduce((sum, input) => sum + input.columns.columns.length, 0);
  const limits = new FeatureLimits();
  const before = new Map<string, Columns>();
  const resolve = columnResolver(graph, new Map(inputs.map((input) => [input.name, input.columns])), limits, before);
  const operators = nodes.map((node) => {
    const columns = resolve(node.inputs[0] ?? '');
    return { node, columns, trees: readTrees(node, columns) };
  });
  return { graph, inputs, featureCount, limits, operators, before };
}

/** Makes the model whose output is the given tensor; by default the one that the file gives out. */
function assemble({ graph, inputs, featureCount, limits, operators }: ReadGraph, tensor?: string): ParsedModel {
  const output = readAfterTrees(graph, operators, tensor);
  const raw = rawOutputsOf(output.columns);
  const comparedColumns = new ComparedColumns(featureCount);
  const shares = operators.map(({ columns, trees }) => ({
    ensemble: comparedColumns.over(trees.ensemble, columns),
    targets: targetsOf(trees, raw.sums),
  }));
  if (new Set(shares.map(({ ensemble }) => ensemble.precision)).size > 1)
    throw new UnexplainableModelError(
      'ONNX file',
      'its tree operators compare in different precisions',
      'export them with one input type',
    );
  const merged = mergeEnsembles(
    shares,
    Float64Array.from(raw.sums, ({ offset }) => offset),
  );
  const columns = comparedColumns.columns(inputs, merged.precision);
  const owner = columns.length > featureCount ? Int32Array.from(columns, ({ feature }) => feature) : undefined;
  const ensemble = { ...merged, featureCount: columns.length, ...(owner ? { owner } : {}) };
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
    comparedColumns: columns,
    limits,
  };
}

/** A node of a file, and the tensor that it makes, as RiskGraph reads it. */
export interface ReadNode {
  /** Name and operator, for messages. */
  readonly title: string;
  readonly tensor: string;
  /** The tensor as columns of the features, before the trees. */
  readonly columns?: Columns;
  readonly isTrees: boolean;
  /** Makes the model that ends with this tensor, from the trees on. @throws InvalidModelError when it cannot end there */
  readonly asOutput?: () => ParsedModel;
}

/** Lists the nodes on the way from the inputs to the output, each after those that it reads. */
export function readNodes(bytes: Uint8Array, featureCount: number): ReadNode[] {
  const read = readGraph(bytes, featureCount);
  const { graph, operators, before } = read;
  const nodes: ReadNode[] = [];
  for (const [tensor, columns] of before) {
    const node = graph.producer(tensor);
    if (node) nodes.push({ title: nodeTitle(node), tensor, isTrees: false, columns });
  }
  const known = new Map(operators.map(({ node, trees }) => [node, trees.scoreOutput]));
  for (const node of [...known.keys(), ...readAfterTrees(graph, operators).path])
    for (const tensor of known.has(node) ? [known.get(node)!] : node.outputs.filter((name) => name !== ''))
      nodes.push({ title: nodeTitle(node), tensor, isTrees: known.has(node), asOutput: () => assemble(read, tensor) });
  return nodes;
}

/**
 * Converts rows to the values that the trees compare.
 * @param rows row-major, rowCount x featureCount, NaN = missing
 * @returns row-major, rowCount x columns
 */
export function prepareRows(model: ParsedModel, rows: Float64Array, rowCount: number): Float64Array {
  const { comparedColumns: columns, featureCount } = model;
  const width = columns.length;
  const prepared = new Float64Array(rowCount * width);
  for (let row = 0; row < rowCount; row++)
    for (let column = 0; column < width; column++) {
      const { feature, step } = columns[column]!;
      prepared[row * width + column] = step(rows[row * featureCount + feature]!);
    }
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
  if (elementType === ElementType.BOOL || elementType === ElementType.STRING)
    throw new InvalidModelError(
      `node ${nodeTitle(node)}`,
      `its input is of ${elementType === ElementType.BOOL ? 'truth values' : 'text'}`,
      'cast it to float, or encode it by OneHotEncoder or OrdinalEncoder',
    );
  if (columns.rowless || columns.dims.length !== 1)
    throw new UnexplainableModelError(
      `node ${nodeTitle(node)}`,
      `its input has ${columns.dims.length > 1 ? 'more than one axis' : 'no axis'} of columns, and ONNX Runtime then ` +
        'reads rows wrongly',
      'export the model with an input of shape [None, features]',
    );
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
