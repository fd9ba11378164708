/**
 * Reads the graph between the tree operators and the output that the model gives: its last output of numbers.
 *
 * 1. `servedTensor` finds that output; a ZipMap is left out.
 * 2. Every node on the way to it is read, in the order of the data. A tensor becomes columns, and each column a
 *    `TreeFunction`: a sum of trees, then at most one link (sigmoid, exponential, softmax).
 * 3. A node that makes anything else of the trees is refused by name. So a model that gives another number than its
 *    trees' sum, through its link, is never served.
 */
import { InvalidModelError, quoted, UnexplainableModelError } from '../errors.js';
import type { OnnxNode } from '../onnx/model-proto.js';
import { NodeAttributes, nodeTitle } from '../onnx/node-attributes.js';
import { ElementType } from '../onnx/tensor-proto.js';
import type { ParsedTrees } from '../trees/parsed-trees.js';
import { arithmeticSteps } from './after-trees-arithmetic.js';
import { layoutSteps } from './after-trees-layout.js';
import { linkSteps } from './after-trees-links.js';
import { type AfterTreesStep, isTelling, type Operand, operatorKey, refusedAfterTrees } from './after-trees-step.js';
import type { GraphIndex } from './graph-index.js';
import { comparedColumns } from './tree-columns.js';
import type { TreeFunction } from './tree-functions.js';
import { termCount } from './tree-sums.js';
import { reshaped, rowsDimension, type TreeTensor } from './tree-tensor.js';

/** A tree operator of the graph, with its trees. */
interface TreeOperator {
  readonly node: OnnxNode;
  readonly trees: ParsedTrees;
}

/** The output that the model gives. */
interface ServedOutput {
  /** Name of the tensor. */
  readonly tensor: string;
  readonly columns: readonly TreeFunction[];
  /** The nodes between the trees and that tensor, each after those that it reads. */
  readonly path: readonly OnnxNode[];
}

const steps: ReadonlyMap<string, AfterTreesStep> = new Map([...layoutSteps, ...arithmeticSteps, ...linkSteps]);

/** The limit of numbers that describe the columns after the trees: a hostile graph could double them per node. */
const mostTerms = 1_000_000;

/**
 * @param wanted a tensor to read in place of the one that the model gives
 * @throws UnexplainableModelError when the output is not a function of one sum of the trees; it names the node
 */
export function readAfterTrees(graph: GraphIndex, operators: readonly TreeOperator[], wanted?: string): ServedOutput {
  const known = new Map<string, TreeTensor>();
  for (const { trees } of operators) {
    const columns = comparedColumns(trees);
    known.set(trees.scoreOutput, { shape: [rowsDimension, columns.length], columns });
  }
  if (known.size !== operators.length || known.has(''))
    throw new InvalidModelError(
      'ONNX file',
      'two tree operators write the same output, or one has none',
      'export the model again',
    );
  const fromTrees = descendants(graph, operators);
  const tensor = wanted ?? servedTensor(graph, fromTrees);
  let terms = 0;
  const path = ancestors(graph, tensor, known);
  for (const node of path) {
    readNode(node, { graph, known, fromTrees, path });
    for (const output of node.outputs)
      terms += known.get(output)?.columns.reduce((sum, { of }) => sum + termCount(of[0]!), 0) ?? 0;
    if (terms > mostTerms)
      throw new UnexplainableModelError(
        `node ${nodeTitle(node)}`,
        'the operators after the trees multiply the columns beyond the limit',
        'export the trees without them',
      );
  }
  const served = known.get(tensor)!;
  if (reshaped(served, [rowsDimension, served.columns.length]) === undefined)
    throw new UnexplainableModelError(
      `output ${quoted(tensor)}`,
      'its rows do not come first',
      'export the model with an output of one row per patient',
    );
  if (wanted === undefined) requireAllUsed(operators, served.columns);
  return { tensor, columns: served.columns, path };
}

/** Returns the last output of numbers that depends on the trees. */
function servedTensor(graph: GraphIndex, fromTrees: ReadonlySet<string>): string {
  const numbers: readonly number[] = [ElementType.FLOAT, ElementType.DOUBLE, ElementType.FLOAT16];
  const candidates = graph.model.outputs.flatMap(({ name, elementType }) => {
    const producer = graph.producer(name);
    if (producer?.operator === 'ZipMap') return [producer.inputs[0] ?? ''];
    return numbers.includes(elementType) ? [name] : [];
  });
  const tensor = candidates.findLast((name) => fromTrees.has(name));
  if (tensor === undefined)
    throw new UnexplainableModelError(
      'ONNX file',
      'none of its outputs is of numbers that the trees give; a label alone is no risk',
      'export the probabilities or the value of the model too',
    );
  return tensor;
}

interface Reading {
  readonly graph: GraphIndex;
  readonly known: Map<string, TreeTensor>;
  readonly fromTrees: ReadonlySet<string>;
  /** The nodes on the way to the output. */
  readonly path: readonly OnnxNode[];
}

function readNode(node: OnnxNode, reading: Reading): void {
  const { graph, known, fromTrees } = reading;
  if (node.operator.startsWith('TreeEnsemble'))
    throw refusedAfterTrees(node, 'the output is made of its labels, not of its scores', 'export the probabilities');
  const operands = node.inputs.map((name): Operand => {
    const tensor = known.get(name);
    return { name, tensor, constant: tensor ? undefined : graph.constant(name) };
  });
  const step = steps.get(operatorKey(node));
  const foreign = operands.find(
    ({ name, tensor, constant }) => name !== '' && !tensor && !constant && !fromTrees.has(name),
  );
  if (foreign || !step || operands.every(({ tensor }) => !tensor)) throw tellingRefusal(node, reading);
  let results: readonly TreeTensor[];
  try {
    results = step(node, new NodeAttributes(node), operands);
  } catch (error) {
    // A node that cannot be read often prepares one that tells more: a vote, a median, a second model.
    throw isTelling(node) ? error : tellingRefusal(node, reading, error);
  }
  results.forEach((tensor, place) => {
    const name = node.outputs[place];
    if (name) known.set(name, tensor);
  });
}

/** Makes the refusal of the node on the way to the output that tells most: the given one when no other does. */
function tellingRefusal(node: OnnxNode, { path, fromTrees }: Reading, error?: unknown): unknown {
  const telling = path.find((candidate) => isTelling(candidate) && !steps.has(operatorKey(candidate)));
  const culprit = telling ?? node;
  if (!culprit.outputs.some((output) => fromTrees.has(output)) || !culprit.inputs.some((input) => fromTrees.has(input)))
    return refusedAfterTrees(
      culprit,
      'it does not read the trees: another model, or an input, has a share in the output',
      'export the trees alone',
    );
  return telling ? refusedAfterTrees(telling) : (error ?? refusedAfterTrees(node));
}

/** Returns the tensors that depend on the trees' scores or labels. */
function descendants(graph: GraphIndex, operators: readonly TreeOperator[]): Set<string> {
  const found = new Set<string>();
  const waiting = operators.flatMap(({ node }) => [...node.outputs]);
  while (waiting.length > 0) {
    const tensor = waiting.pop()!;
    if (tensor === '' || found.has(tensor)) continue;
    found.add(tensor);
    for (const reader of graph.readersOf(tensor)) waiting.push(...reader.outputs);
  }
  return found;
}

/** Returns the nodes on the way to a tensor, each after those that it reads. Known tensors and constants are leaves. */
function ancestors(graph: GraphIndex, tensor: string, known: ReadonlyMap<string, TreeTensor>): OnnxNode[] {
  const sorted: OnnxNode[] = [];
  const state = new Map<OnnxNode, 'ENTERED' | 'DONE'>();
  const producerOf = (name: string): OnnxNode | undefined =>
    name === '' || known.has(name) || graph.constant(name) ? undefined : graph.producer(name);
  const stack = [producerOf(tensor)];
  while (stack.length > 0) {
    const node = stack.at(-1);
    if (!node || state.get(node) === 'DONE') {
      stack.pop();
    } else if (state.get(node) === 'ENTERED') {
      stack.pop();
      state.set(node, 'DONE');
      sorted.push(node);
    } else {
      state.set(node, 'ENTERED');
      for (const name of node.inputs) {
        const producer = producerOf(name);
        if (producer && state.get(producer) === 'ENTERED')
          throw new UnexplainableModelError(
            `node ${nodeTitle(node)}`,
            'the graph has a cycle',
            'export the model again',
          );
        if (producer) stack.push(producer);
      }
    }
  }
  return sorted;
}

function requireAllUsed(operators: readonly TreeOperator[], columns: readonly TreeFunction[]): void {
  const used = new Set(columns.flatMap(({ of }) => of.flatMap(({ terms }) => [...terms.keys()])));
  const idle = operators.findLast(({ trees }) => !used.has(trees));
  if (!idle) return;
  throw new UnexplainableModelError(
    `node ${nodeTitle(idle.node)}`,
    operators.length > 1
      ? `it is one of ${operators.length} tree operators, and the output that is served does not depend on it`
      : 'the output that is served does not depend on its scores',
    operators.length > 1
      ? 'serve each of them as a model of its own, and export without the options decision_path and decision_leaf'
      : 'export the scores of the trees',
  );
}
