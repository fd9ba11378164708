import { ElementType } from '../onnx/tensor-proto.js';
import { type AfterTreesStep, column, first, list, refusedAfterTrees, required } from './after-trees-step.js';
import { joined, reshaped, rowsDimension, taken, type TreeTensor } from './tree-tensor.js';

const same: AfterTreesStep = (node, _attributes, operands) => [first(node, operands)];

const cast: AfterTreesStep = (node, attributes, operands) => {
  const to = attributes.integer('to', 0);
  if (to !== ElementType.FLOAT && to !== ElementType.DOUBLE)
    throw refusedAfterTrees(node, 'it rounds the output of the trees to another type', 'cast to float or double');
  return [first(node, operands)];
};

const reshape: AfterTreesStep = (node, attributes, operands) => {
  const tensor = first(node, operands);
  const shape = list(node, attributes, operands, 'shape', 1);
  return required(node, attributes.integer('allowzero', 0) === 0 && shape ? reshaped(tensor, shape) : undefined);
};

const flatten: AfterTreesStep = (node, attributes, operands) => {
  const tensor = first(node, operands);
  const rank = tensor.shape.length;
  const axis = attributes.integer('axis', 1);
  const split = axis < 0 ? axis + rank : axis;
  const rowsFirst = tensor.shape.indexOf(rowsDimension) < split;
  return required(
    node,
    rowsFirst && tensor.shape.slice(1, split).every((length) => length === 1 || length === rowsDimension)
      ? reshaped(tensor, [rowsDimension, tensor.columns.length])
      : undefined,
  );
};

const squeeze: AfterTreesStep = (node, attributes, operands) => {
  const tensor = first(node, operands);
  const axes = list(node, attributes, operands, 'axes', 1)?.map((axis) => column(node, tensor, axis));
  const dropped = (length: number, place: number): boolean => (axes ? axes.includes(place) : length === 1);
  const shape = tensor.shape.filter((length, place) => !dropped(length, place));
  const fits = tensor.shape.every((length, place) => !dropped(length, place) || length === 1);
  return required(node, fits ? { ...tensor, shape } : undefined);
};

const unsqueeze: AfterTreesStep = (node, attributes, operands) => {
  const tensor = first(node, operands);
  const axes = list(node, attributes, operands, 'axes', 1) ?? [];
  const rank = tensor.shape.length + axes.length;
  const places = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
  if (places.size !== axes.length || [...places].some((place) => !(place >= 0 && place < rank)) || rank > 8)
    return required(node, undefined);
  const rest = [...tensor.shape];
  const shape = Array.from({ length: rank }, (_, place) => (places.has(place) ? 1 : rest.shift()!));
  return [{ ...tensor, shape }];
};

const concat: AfterTreesStep = (node, attributes, operands) => {
  const tensors = operands.map(({ tensor }) => tensor);
  if (tensors.some((tensor) => !tensor)) throw refusedAfterTrees(node, 'it joins the output of the trees with others');
  const all = tensors as TreeTensor[];
  return required(node, joined(all, column(node, all[0]!, attributes.integer('axis', 1))));
};

const gather: AfterTreesStep = (node, attributes, operands) => {
  const tensor = first(node, operands);
  const extractor = node.operator === 'ArrayFeatureExtractor';
  const axis = column(node, tensor, extractor ? -1 : attributes.integer('axis', 0));
  const indices = operands[1]?.constant;
  if (!indices) throw refusedAfterTrees(node);
  const chosen = taken(tensor, axis, [...indices.values]);
  // A single index, not a list of one, removes the dimension; the extractor always keeps it.
  if (!chosen || indices.shape.length > (extractor ? 8 : 1)) return required(node, undefined);
  return indices.shape.length === 0 && !extractor
    ? [{ ...chosen, shape: chosen.shape.filter((_, place) => place !== axis) }]
    : [chosen];
};

const slice: AfterTreesStep = (node, attributes, operands) => {
  const tensor = first(node, operands);
  const starts = list(node, attributes, operands, 'starts', 1) ?? [];
  const ends = list(node, attributes, operands, 'ends', 2) ?? [];
  const axes = list(node, attributes, operands, 'axes', 3) ?? starts.map((_, index) => index);
  const steps = list(node, attributes, operands, 'steps', 4) ?? starts.map(() => 1);
  let current: TreeTensor | undefined = tensor;
  starts.forEach((start, index) => {
    if (!current) return;
    const axis = column(node, current, axes[index] ?? Number.NaN);
    const length = current.shape[axis]!;
    const clamp = (value: number): number => Math.min(length, Math.max(0, value < 0 ? value + length : value));
    const from = clamp(start);
    const to = clamp(ends[index] ?? Number.NaN);
    const indices = Array.from({ length: Math.max(0, to - from) || 0 }, (_, place) => from + place);
    current = steps[index] === 1 && indices.length > 0 ? taken(current, axis, indices) : undefined;
  });
  return required(node, current);
};

const split: AfterTreesStep = (node, attributes, operands) => {
  const tensor = first(node, operands);
  const axis = column(node, tensor, attributes.integer('axis', 0));
  const length = tensor.shape[axis]!;
  const even = Math.ceil(length / node.outputs.length);
  const sizes = list(node, attributes, operands, 'split', 1);
  let start = 0;
  return node.outputs.flatMap((_, place) => {
    const size = Math.min(sizes ? (sizes[place] ?? 0) : even, length - start);
    const indices = Array.from({ length: Math.max(0, size) }, (_item, index) => start + index);
    start += size;
    return required(node, indices.length > 0 ? taken(tensor, axis, indices) : undefined);
  });
};

const transpose: AfterTreesStep = (node, attributes, operands) => {
  const tensor = first(node, operands);
  const given = [...attributes.integers('perm')];
  const order = given.length > 0 ? given : tensor.shape.map((_, place) => tensor.shape.length - 1 - place);
  // Only moves of dimensions of length 1 and of the rows keep the columns' order.
  const longs = order.filter((place) => (tensor.shape[place] ?? 0) > 1);
  const kept = longs.every((place, index) => index === 0 || place > longs[index - 1]!);
  const whole =
    new Set(order).size === tensor.shape.length && order.every((place) => tensor.shape[place] !== undefined);
  return required(node, kept && whole ? { ...tensor, shape: order.map((place) => tensor.shape[place]!) } : undefined);
};

/** Operators after the trees that choose, join and order columns, by domain and name. */
export const layoutSteps: readonly (readonly [string, AfterTreesStep])[] = [
  ['Identity', same],
  ['Dropout', same],
  ['Cast', cast],
  ['Reshape', reshape],
  ['Flatten', flatten],
  ['Squeeze', squeeze],
  ['Unsqueeze', unsqueeze],
  ['Transpose', transpose],
  ['Concat', concat],
  ['ai.onnx.ml.FeatureVectorizer', concat],
  ['Gather', gather],
  ['ai.onnx.ml.ArrayFeatureExtractor', gather],
  ['Slice', slice],
  ['Split', split],
];
