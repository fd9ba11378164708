import { UnexplainableModelError } from '../errors.js';
import { nodeTitle } from '../onnx/node-attributes.js';
import type { OnnxNode } from '../onnx/model-proto.js';
import type { ColumnStep } from './column-step.js';
import type { Columns } from './columns.js';

const concatenate: ColumnStep = (node, attributes, resolve) => {
  const axis = attributes.integer('axis', 1);
  if (axis !== 1 && axis !== -1) throw cannot(node, 'it joins rows, not columns');
  const parts = node.inputs.map(resolve);
  const elementType = parts[0]?.elementType ?? 0;
  if (parts.some((part) => part.elementType !== elementType)) throw cannot(node, 'its inputs have different types');
  return { elementType, columns: parts.flatMap((part) => part.columns) };
};

function choose(indexInput: number): ColumnStep {
  return (node, attributes, resolve, graph) => {
    const axis = attributes.integer('axis', node.operator === 'Gather' ? 0 : 1);
    if (axis !== 1 && axis !== -1) throw cannot(node, 'it chooses rows, not columns');
    const indices = graph.constant(node.inputs[indexInput] ?? '')?.values;
    if (!indices) throw cannot(node, 'its choice of columns is computed');
    const source = resolve(node.inputs[0] ?? '');
    return { ...source, columns: Array.from(indices, (index) => at(node, source, index)) };
  };
}

/** Accepts only shapes that leave [rows, columns] unchanged. */
const reshape: ColumnStep = (node, _attributes, resolve, graph) => {
  const source = resolve(node.inputs[0] ?? '');
  const shape = graph.constant(node.inputs[1] ?? '')?.values;
  const width = shape?.[1];
  if (shape?.length !== 2 || (width !== source.columns.length && !(width === -1 && shape[0] === 0)))
    throw cannot(node, 'it rearranges the features');
  return source;
};

const flatten: ColumnStep = (node, attributes, resolve) => {
  if (attributes.integer('axis', 1) !== 1) throw cannot(node, 'it rearranges the features');
  return resolve(node.inputs[0] ?? '');
};

function split(tensor: string): ColumnStep {
  return (node, attributes, resolve, graph) => {
    const axis = attributes.integer('axis', 0);
    if (axis !== 1 && axis !== -1) throw cannot(node, 'it splits rows, not columns');
    const source = resolve(node.inputs[0] ?? '');
    const given = graph.constant(node.inputs[1] ?? '')?.values ?? attributes.integers('split');
    const even = Math.ceil(source.columns.length / node.outputs.length);
    const place = node.outputs.indexOf(tensor);
    const start = given.length > 0 ? given.subarray(0, place).reduce((sum, size) => sum + size, 0) : place * even;
    return { ...source, columns: source.columns.slice(start, start + (given[place] ?? even)) };
  };
}

/** Operators that only choose, join or order columns. @param tensor the requested output; a node may have several */
export function selectionSteps(tensor: string): ReadonlyMap<string, ColumnStep> {
  return new Map<string, ColumnStep>([
    ['Concat', concatenate],
    ['ai.onnx.ml.FeatureVectorizer', concatenate],
    ['ai.onnx.ml.ArrayFeatureExtractor', choose(1)],
    ['Gather', choose(1)],
    ['Reshape', reshape],
    ['Flatten', flatten],
    ['Split', split(tensor)],
  ]);
}

function at(node: OnnxNode, source: Columns, index: number): Columns['columns'][number] {
  const column = source.columns[index < 0 ? index + source.columns.length : index];
  if (!column) throw cannot(node, `it asks for column ${index} of ${source.columns.length}`);
  return column;
}

function cannot(node: OnnxNode, reason: string): UnexplainableModelError {
  return new UnexplainableModelError(
    `node ${nodeTitle(node)}`,
    `it comes before the trees and ${reason}`,
    'put the trees directly on the features, or behind Scaler, Imputer or Cast only',
  );
}
