import { InvalidModelError, UnexplainableModelError } from '../errors.js';
import { NodeAttributes, nodeTitle } from '../onnx/node-attributes.js';
import type { OnnxNode } from '../onnx/model-proto.js';
import { ElementType } from '../onnx/tensor-proto.js';
import type { ParsedTrees } from '../trees/parsed-trees.js';
import { columnConstants, type GraphIndex } from './graph-index.js';

/** A tensor that is a sum of tree ensembles. Each part says where its outputs go and by which factors. */
export interface TreeSum {
  readonly tensor: string;
  readonly parts: readonly TreePart[];
  /** Added once per row, one per output. */
  readonly offset: Float64Array;
}

export interface TreePart {
  readonly trees: ParsedTrees;
  /** Position of the part's first output among the sum's. */
  readonly firstOutput: number;
  /** Factor of each of the part's outputs. */
  readonly scale: Float64Array;
}

/**
 * Follows the outputs of tree operators through the linear operators after them. LightGBM's exports need this: they are
 * split into several operators, averages and offsets.
 *
 * 1. It starts at the outputs of the tree operators.
 * 2. It follows Cast, Identity, Add, Sub, Mul, Div, Neg, Sum and Concat, with constants or with one another.
 * 3. It stops at the first operator that is not linear (Sigmoid, Normalizer, ZipMap ...). SHAP values explain the space
 *    before it.
 *
 * @throws UnexplainableModelError when several tree operators are not added or joined
 */
export function followTrees(graph: GraphIndex, operators: readonly { node: OnnxNode; trees: ParsedTrees }[]): TreeSum {
  const sums = new Map<string, TreeSum>();
  for (const { trees } of operators) {
    const count = trees.ensemble.outputCount;
    sums.set(trees.scoreOutput, {
      tensor: trees.scoreOutput,
      parts: [{ trees, firstOutput: 0, scale: new Float64Array(count).fill(1) }],
      offset: new Float64Array(count),
    });
  }
  if (sums.size !== operators.length)
    throw new InvalidModelError(
      'ONNX file',
      'two tree operators write the same output, or one has none',
      'export the model again',
    );
  let current = sums.get(operators[0]!.trees.scoreOutput)!;
  if (operators.some(({ trees }) => trees.labels !== null || trees.ensemble.postTransform !== 'NONE')) {
    if (operators.length > 1) throw several(operators);
    return current;
  }
  for (const node of graph.model.nodes) {
    const sum = linear(node, sums, graph);
    if (sum) sums.set(sum.tensor, sum);
  }
  if (operators.length > 1) {
    const complete = [...sums.values()].find((sum) =>
      operators.every(({ trees }) => sum.parts.some((part) => part.trees === trees)),
    );
    if (!complete) throw several(operators);
    current = complete;
  }
  for (;;) {
    const readers = graph.readersOf(current.tensor);
    const next =
      readers.length === 1 && !graph.isOutput(current.tensor) ? sums.get(readers[0]!.outputs[0] ?? '') : undefined;
    if (!next || next === current) return current;
    current = next;
  }
}

function several(operators: readonly { node: OnnxNode }[]): UnexplainableModelError {
  return new UnexplainableModelError(
    `node ${nodeTitle(operators[1]!.node)}`,
    `it is one of ${operators.length} tree operators whose outputs are not simply added, so they do not add up to ` +
      'one model output',
    'serve each of them as a model of its own',
  );
}

function linear(node: OnnxNode, sums: ReadonlyMap<string, TreeSum>, graph: GraphIndex): TreeSum | undefined {
  const tensor = node.outputs[0] ?? '';
  const inputs = node.inputs.map((name) => sums.get(name));
  const first = inputs[0];
  if (node.domain !== '' || inputs.every((input) => !input)) return undefined;
  switch (node.operator) {
    case 'Identity':
      return first && { ...first, tensor };
    case 'Cast':
      return first &&
        [ElementType.FLOAT, ElementType.DOUBLE].includes(new NodeAttributes(node).integer('to', 0) as 1 | 11)
        ? { ...first, tensor }
        : undefined;
    case 'Neg':
      return first && scaled(first, tensor, () => -1);
    case 'Sum':
      return inputs.reduce<TreeSum | undefined>(
        (sum, input) => sum && input && added(sum, input, tensor),
        inputs[0] && { ...inputs[0], tensor, parts: [], offset: new Float64Array(inputs[0].offset.length) },
      );
    case 'Concat':
      return [1, -1].includes(new NodeAttributes(node).integer('axis', 0)) &&
        inputs.every((input) => input !== undefined)
        ? joined(inputs, tensor)
        : undefined;
    case 'Add':
    case 'Sub':
    case 'Mul':
    case 'Div':
      return binary(node, inputs, tensor, graph);
    default:
      return undefined;
  }
}

function binary(
  node: OnnxNode,
  [left, right]: readonly (TreeSum | undefined)[],
  tensor: string,
  graph: GraphIndex,
): TreeSum | undefined {
  if (left && right) {
    if (node.operator === 'Add') return added(left, right, tensor);
    return node.operator === 'Sub'
      ? added(
          left,
          scaled(right, tensor, () => -1),
          tensor,
        )
      : undefined;
  }
  const sum = left ?? right!;
  const constant = graph.constant(node.inputs[left ? 1 : 0] ?? '');
  const values = constant && columnConstants(constant, sum.offset.length);
  if (!values || !values.every(Number.isFinite)) return undefined;
  const sign = node.operator === 'Sub' ? -1 : 1;
  if (node.operator === 'Mul') return scaled(sum, tensor, (index) => values[index]!);
  if (node.operator === 'Div')
    return left && values.every((value) => value !== 0)
      ? scaled(sum, tensor, (index) => 1 / values[index]!)
      : undefined;
  const base = left ? sum : scaled(sum, tensor, () => sign);
  return { ...base, tensor, offset: base.offset.map((offset, index) => offset + (left ? sign : 1) * values[index]!) };
}

function scaled(sum: TreeSum, tensor: string, factor: (output: number) => number): TreeSum {
  return {
    tensor,
    parts: sum.parts.map((part) => ({
      ...part,
      scale: part.scale.map((scale, output) => scale * factor(part.firstOutput + output)),
    })),
    offset: sum.offset.map((offset, output) => offset * factor(output)),
  };
}

function added(left: TreeSum, right: TreeSum, tensor: string): TreeSum | undefined {
  if (left.offset.length !== right.offset.length) return undefined;
  return {
    tensor,
    parts: [...left.parts, ...right.parts],
    offset: left.offset.map((offset, output) => offset + right.offset[output]!),
  };
}

function joined(sums: readonly TreeSum[], tensor: string): TreeSum {
  let width = 0;
  const parts = sums.flatMap((sum) => {
    const first = width;
    width += sum.offset.length;
    return sum.parts.map((part) => ({ ...part, firstOutput: part.firstOutput + first }));
  });
  return { tensor, parts, offset: Float64Array.from(sums.flatMap((sum) => [...sum.offset])) };
}
