import { cannotFollow, type ColumnStep, firstInput, type StepContext } from './column-step.js';
import { type Columns, constantColumn, sizeOf } from './columns.js';

const concatenate: ColumnStep = (context) => {
  const { node, attributes, resolve } = context;
  const parts = node.inputs.map(resolve);
  const [first] = parts;
  const axis = columnAxis(context, attributes.integer('axis', 1), first!, 'joins');
  if (parts.some((part) => part.elementType !== first!.elementType))
    throw cannotFollow(context, 'its inputs have different types', 'export the model again');
  const outer = sizeOf(first!.dims.slice(0, axis));
  const chunks = parts.map((part) => part.columns.length / outer);
  return {
    ...first!,
    dims: first!.dims.map((size, at) =>
      at === axis ? parts.reduce((sum, part) => sum + (part.dims[axis] ?? 0), 0) : size,
    ),
    columns: Array.from({ length: outer }, (_, place) =>
      parts.flatMap((part, index) => part.columns.slice(place * chunks[index]!, (place + 1) * chunks[index]!)),
    ).flat(),
  };
};

/** Returns the columns that positions along an axis choose. */
function chosen(context: StepContext, source: Columns, axis: number, positions: readonly number[]): Columns {
  const inner = sizeOf(source.dims.slice(axis + 1));
  const length = source.dims[axis]!;
  const places = positions.map((position) => (position < 0 ? position + length : position));
  const outside = places.findIndex((place) => !(place >= 0 && place < length));
  if (outside >= 0)
    throw cannotFollow(context, `it asks for column ${positions[outside]} of ${length}`, 'export the model again');
  const columns = Array.from({ length: sizeOf(source.dims.slice(0, axis)) }, (_, outer) =>
    places.flatMap((place) =>
      source.columns.slice((outer * length + place) * inner, (outer * length + place + 1) * inner),
    ),
  ).flat();
  return { ...source, dims: source.dims.map((size, at) => (at === axis ? places.length : size)), columns };
}

const gather: ColumnStep = (context) => {
  const { node, attributes, graph } = context;
  const indices = graph.constant(node.inputs[1] ?? '');
  if (!indices) throw cannotFollow(context, 'its choice of columns is computed');
  const source = firstInput(context);
  const axis = columnAxis(context, attributes.integer('axis', 0), source, 'chooses');
  const picked = chosen(context, source, axis, [...indices.values]);
  return { ...picked, dims: [...source.dims.slice(0, axis), ...indices.shape, ...source.dims.slice(axis + 1)] };
};

/** Chooses along the last axis. A list of one column stays a column. */
const extract: ColumnStep = (context) => {
  const indices = context.graph.constant(context.node.inputs[1] ?? '')?.values;
  if (!indices) throw cannotFollow(context, 'its choice of columns is computed');
  const source = firstInput(context);
  return chosen(context, source, source.dims.length - 1, [...indices]);
};

const slice: ColumnStep = (context) => {
  const { node, attributes, graph } = context;
  const source = firstInput(context);
  const list = (input: number, name: string): readonly number[] | undefined => {
    const tensor = node.inputs[input];
    if (tensor) {
      const constant = graph.constant(tensor);
      if (!constant) throw cannotFollow(context, `its ${name} are computed`);
      return [...constant.values];
    }
    return attributes.has(name) ? [...attributes.integers(name)] : undefined;
  };
  const [starts = [], ends = []] = [list(1, 'starts'), list(2, 'ends')];
  const axes = list(3, 'axes') ?? starts.map((_, index) => index);
  const steps = list(4, 'steps') ?? starts.map(() => 1);
  return axes.reduce((current, given, index) => {
    const [start, end, step] = [starts[index]!, ends[index]!, steps[index]!];
    const axis = given < 0 ? given + current.dims.length : given - 1;
    // A slice of all rows changes nothing.
    if (axis < 0 && start === 0 && end >= 2 ** 31 - 1 && step === 1) return current;
    if (axis < 0) throw cannotFollow(context, 'it chooses rows, not columns');
    const length = current.dims[axis]!;
    const clamp = (position: number, least: number, most: number): number =>
      Math.min(Math.max(position < 0 ? position + length : position, least), most);
    const positions: number[] = [];
    if (step > 0) for (let at = clamp(start, 0, length); at < clamp(end, 0, length); at += step) positions.push(at);
    else for (let at = clamp(start, 0, length - 1); at > clamp(end, -1, length - 1); at += step) positions.push(at);
    return chosen(context, current, axis, positions);
  }, source);
};

/** Accepts shapes that keep the rows, whatever they do to the columns. */
const reshape: ColumnStep = (context) => {
  const { node, graph } = context;
  const source = firstInput(context);
  const shape = [...(graph.constant(node.inputs[1] ?? '')?.values ?? [])];
  if (source.rowless)
    return shape.length === 2 && (shape[0] === 1 || shape[1] === source.columns.length || shape[1] === -1)
      ? { ...source, rowless: false, dims: [source.columns.length] }
      : source;
  const [rows, ...rest] = shape.map((size, axis) => (size === 0 ? (axis === 0 ? 0 : source.dims[axis - 1]!) : size));
  const known = sizeOf(rest.filter((size) => size !== -1));
  const dims = rest.map((size) => (size === -1 ? source.columns.length / known : size));
  // -1 or 0 stand for the rows, and 1 for the one row of a fixed batch.
  const keepsRows = rows === -1 || rows === 0 || (rows === 1 && rest.length > 0);
  if (!keepsRows || sizeOf(dims) !== source.columns.length || (rows === -1 && rest.includes(-1)))
    throw cannotFollow(context, 'it rearranges the features');
  return { ...source, dims };
};

const flatten: ColumnStep = (context) => {
  const source = firstInput(context);
  if (context.attributes.integer('axis', 1) !== 1) throw cannotFollow(context, 'it rearranges the features');
  return { ...source, dims: [source.columns.length] };
};

const squeeze: ColumnStep = (context) => {
  const source = firstInput(context);
  const axes = axesOf(context, source.dims.length + 1);
  const dims = source.dims.filter((size, axis) => !(axes.length === 0 ? size === 1 : axes.includes(axis + 1)));
  if (axes.includes(0) || sizeOf(dims) !== source.columns.length) throw cannotFollow(context, 'it removes the rows');
  return { ...source, dims };
};

const unsqueeze: ColumnStep = (context) => {
  const source = firstInput(context);
  const count = context.graph.constant(context.node.inputs[1] ?? '')?.values.length;
  const rank = source.dims.length + (source.rowless ? 0 : 1) + (count ?? context.attributes.integers('axes').length);
  const axes = axesOf(context, rank);
  if (source.rowless)
    return axes.length === 1 && axes[0] === 0
      ? { ...source, rowless: false }
      : { ...source, rowless: false, dims: unsqueezed(axes, rank, source.dims).slice(1) };
  if (axes.includes(0)) throw cannotFollow(context, 'it moves the rows to another axis');
  return { ...source, dims: unsqueezed(axes, rank, [0, ...source.dims]).slice(1) };
};

function unsqueezed(axes: readonly number[], rank: number, dims: readonly number[]): number[] {
  const rest = [...dims];
  return Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : rest.shift()!));
}

function axesOf({ node, graph, attributes }: StepContext, rank: number): number[] {
  const axes = graph.constant(node.inputs[1] ?? '')?.values ?? attributes.integers('axes');
  return [...axes].map((axis) => (axis < 0 ? axis + rank : axis));
}

const split: ColumnStep = (context) => {
  const { node, attributes, graph, tensor } = context;
  const source = firstInput(context);
  const axis = columnAxis(context, attributes.integer('axis', 0), source, 'splits');
  const length = source.dims[axis]!;
  const given = graph.constant(node.inputs[1] ?? '')?.values ?? attributes.integers('split');
  const even = Math.ceil(length / node.outputs.length);
  const place = node.outputs.indexOf(tensor);
  const start = given.length > 0 ? given.subarray(0, place).reduce((sum, size) => sum + size, 0) : place * even;
  const end = Math.min(length, start + (given[place] ?? even));
  return chosen(
    context,
    source,
    axis,
    Array.from({ length: end - start }, (_, index) => start + index),
  );
};

/** Fills a tensor of the shape of another one with one value. */
const constantOfShape: ColumnStep = (context) => {
  const shape = context.graph.producer(context.node.inputs[0] ?? '');
  if (shape?.operator !== 'Shape' || shape.domain !== '')
    throw cannotFollow(
      context,
      'it takes values of the features for a shape, as skl2onnx writes a selector that keeps the first column alone',
      'train on the kept columns themselves, without the selector, and export again',
    );
  const value = context.attributes.tensor('value');
  const source = context.resolve(shape.inputs[0] ?? '');
  return {
    ...source,
    elementType: value?.elementType ?? 1,
    columns: source.columns.map(() => constantColumn(value?.values[0] ?? 0)),
  };
};

/** Operators that only choose, join, order or shape columns. */
export const selectionSteps: ReadonlyMap<string, ColumnStep> = new Map<string, ColumnStep>([
  ['Concat', concatenate],
  ['ai.onnx.ml.FeatureVectorizer', concatenate],
  ['ai.onnx.ml.ArrayFeatureExtractor', extract],
  ['Gather', gather],
  ['Slice', slice],
  ['Reshape', reshape],
  ['Flatten', flatten],
  ['Squeeze', squeeze],
  ['Unsqueeze', unsqueeze],
  ['Split', split],
  ['ConstantOfShape', constantOfShape],
]);

/** Returns the position of an axis among the axes after the rows. */
function columnAxis(context: StepContext, axis: number, source: Columns, verb: string): number {
  const place = axis < 0 ? axis + source.dims.length : axis - (source.rowless ? 0 : 1);
  if (place < 0 || place >= source.dims.length) throw cannotFollow(context, `it ${verb} rows, not columns`);
  return place;
}
