import { InvalidModelError, quoted } from '../errors.js';
import { ElementType, type OnnxTensor } from '../onnx/tensor-proto.js';
import { cannotFollow, type ColumnStep, firstInput, type StepContext } from './column-step.js';
import { type Column, type Columns, combined, constantColumn, rounder, sizeOf, withLandmarks } from './columns.js';

type Operate = (values: readonly number[], elementType: number) => number;

/**
 * Makes the step of an operator that combines tensors value by value, by NumPy's rules of broadcasting. The values that
 * meet must belong to one feature, or be constant.
 */
function combining(operate: Operate, options: { approximate?: true; truth?: true } = {}): ColumnStep {
  return (context) => {
    const parts = operands(context);
    const elementType = parts.at(-1)!.elementType;
    const dims = parts.map((part) => part.dims).reduce((left, right) => broadcast(context, left, right));
    const round = options.truth ? (value: number): number => value : rounder(elementType);
    const step = (values: readonly number[]): number => round(operate(values, elementType));
    const columns = Array.from({ length: sizeOf(dims) }, (_, index) => {
      const sources = parts.map((part) => part.columns[placeIn(part.dims, dims, index)]!);
      const column = combined(marked(sources), step) ?? mixed(context, sources);
      return options.approximate ? { ...column, approximate: true } : column;
    });
    return { ...parts[0]!, elementType: options.truth ? ElementType.BOOL : elementType, dims, columns };
  };
}

/** Adds the constants among the parts to the landmarks of the columns that they are compared or combined with. */
function marked(sources: readonly Column[]): readonly Column[] {
  const constants = sources.filter(({ feature }) => feature < 0).map(({ apply }) => apply(0));
  return constants.length === 0 || constants.length === sources.length
    ? sources
    : sources.map((column) =>
        column.feature < 0 ? column : { ...column, landmarks: withLandmarks(column, constants) },
      );
}

function mixed(context: StepContext, sources: readonly Column[]): never {
  const features = new Set(sources.map(({ feature }) => feature).filter((feature) => feature >= 0));
  const [first, second] = [...features].map((feature) => feature + 1);
  throw cannotFollow(
    context,
    `it mixes features (the inputs ${first} and ${second}${
      context.node.operator === 'ReduceProd' ? ', as PolynomialFeatures does' : ''
    }), so no feature acts alone and exact SHAP values per feature cannot be read off the trees`,
    'leave that step out of the pipeline, train again and export again',
  );
}

/** Returns the tensors that a node combines. Constants become columns without a feature. */
function operands(context: StepContext): Columns[] {
  const { node, resolve, graph, limits } = context;
  const constants = node.inputs.map((name) => graph.constant(name));
  const computed = node.inputs.map((name, index) => (constants[index] ? undefined : resolve(name)));
  const rank = Math.max(0, ...computed.map((columns) => (columns ? columns.dims.length : 0)));
  const pattern = computed.find((columns) => columns !== undefined);
  return node.inputs.map(
    (_, index) =>
      computed[index] ?? {
        ...constantColumns(context, constants[index]!, rank, (text) => limits.textIndex(text)),
        rowless: pattern?.rowless,
      },
  );
}

function constantColumns(
  context: StepContext,
  { name, shape, values, strings, elementType }: OnnxTensor,
  rank: number,
  textIndex: (text: string) => number,
): Columns {
  const dims = shape.length > rank ? shape.slice(shape.length - rank) : shape;
  if (sizeOf(dims) !== sizeOf(shape))
    throw cannotFollow(context, `its constant ${quoted(name)} has a value for each row`);
  const whole = elementType === ElementType.INT64;
  if (whole && !values.every(Number.isSafeInteger))
    throw new InvalidModelError(`tensor ${quoted(name)}`, 'it has an integer beyond 2^53', 'use smaller integers');
  const all = strings
    ? Array.from({ length: strings.length }, (_, index) => textIndex(strings.at(index)))
    : Array.from(values);
  return { elementType, dims, columns: all.map(constantColumn) };
}

function broadcast(context: StepContext, left: readonly number[], right: readonly number[]): number[] {
  const rank = Math.max(left.length, right.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [a, b] = [left[axis - rank + left.length] ?? 1, right[axis - rank + right.length] ?? 1];
    if (a !== b && a !== 1 && b !== 1)
      throw cannotFollow(context, `its inputs have ${a} and ${b} columns, which do not fit`, 'export the model again');
    return Math.max(a, b);
  });
}

/** Finds the place in a tensor of `dims` that meets place `index` of the broadcast result. */
function placeIn(dims: readonly number[], result: readonly number[], index: number): number {
  let rest = index;
  let place = 0;
  let stride = 1;
  for (let axis = result.length - 1; axis >= 0; axis--) {
    const at = rest % result[axis]!;
    rest = Math.floor(rest / result[axis]!);
    const own = dims[axis - result.length + dims.length] ?? 1;
    if (own !== 1) place += at * stride;
    stride *= own;
  }
  return place;
}

/** Makes the step of an operator that reduces an axis of columns of one feature. */
function reducing(operate: (values: readonly number[]) => number, to?: number): ColumnStep {
  return (context) => {
    const { attributes, graph, node } = context;
    const source = firstInput(context);
    const rank = source.dims.length;
    const given = graph.constant(node.inputs[1] ?? '')?.values ?? attributes.integers('axes');
    const axes = [...(given.length > 0 ? given : [attributes.integer('axis', to === undefined ? 1 : 0)])];
    const axis = axes[0]! < 0 ? axes[0]! + rank : axes[0]! - 1;
    if (axes.length !== 1 || axis < 0 || axis >= rank) throw cannotFollow(context, 'it reduces rows, not columns');
    const inner = sizeOf(source.dims.slice(axis + 1));
    const length = source.dims[axis]!;
    const kept = source.dims.map((size, index) => (index === axis ? 1 : size));
    const columns = Array.from({ length: sizeOf(kept) }, (_, index) => {
      const first = Math.floor(index / inner) * length * inner + (index % inner);
      const sources = Array.from({ length }, (__, at) => source.columns[first + at * inner]!);
      return combined(sources, operate) ?? mixed(context, sources);
    });
    const dims = attributes.integer('keepdims', 1) === 1 ? kept : kept.filter((_, index) => index !== axis);
    return { ...source, elementType: to ?? source.elementType, dims, columns };
  };
}

/** Returns the position of the first largest value, as the ArgMax operator does. */
function firstBest(better: (value: number, best: number) => boolean): (values: readonly number[]) => number {
  return (values) => values.reduce((best, value, index) => (better(value, values[best]!) ? index : best), 0);
}

/** Raises to a power as ONNX Runtime does: squares and cubes are products. */
function power([base, exponent]: readonly number[], elementType: number): number {
  const round = rounder(elementType);
  if (exponent === 2) return base! * base!;
  return exponent === 3 ? round(base! * base!) * base! : Math.pow(base!, exponent!);
}

const pair =
  (operate: (left: number, right: number) => number): Operate =>
  ([left, right]) =>
    operate(left!, right!);
const holds = (test: (left: number, right: number) => boolean): ColumnStep =>
  combining(
    pair((left, right) => (test(left, right) ? 1 : 0)),
    { truth: true },
  );

const multiply = combining(pair((left, right) => left * right));

/** Multiplies. A product with 0 is 0 for every finite value, so it depends on no feature. */
const multiplied: ColumnStep = (context) => {
  const product = multiply(context);
  const zero = [0, 1].find((input) =>
    context.graph.constant(context.node.inputs[input] ?? '')?.values.every((v) => v === 0),
  );
  if (zero === undefined) return product;
  return {
    ...product,
    columns: product.columns.map((column) => {
      if (column.feature < 0) return column;
      context.limits.present.set(column.feature, 'a product with 0');
      context.limits.finite.add(column.feature);
      return constantColumn(0);
    }),
  };
};

/** Operators that combine values, by name. Each result must depend on one feature. */
export const combiningSteps: ReadonlyMap<string, ColumnStep> = new Map<string, ColumnStep>([
  ['Add', combining(pair((left, right) => left + right))],
  ['Sub', combining(pair((left, right) => left - right))],
  ['Mul', multiplied],
  ['Div', combining(pair((left, right) => left / right))],
  ['Pow', combining(power, { approximate: true })],
  ['Sum', combining((values, type) => values.reduce((sum, value) => rounder(type)(sum + value)))],
  ['Max', combining((values) => Math.max(...values))],
  ['Min', combining((values) => Math.min(...values))],
  ['Less', holds((left, right) => left < right)],
  ['LessOrEqual', holds((left, right) => left <= right)],
  ['Greater', holds((left, right) => left > right)],
  ['GreaterOrEqual', holds((left, right) => left >= right)],
  ['Equal', holds((left, right) => left === right)],
  ['And', holds((left, right) => left !== 0 && right !== 0)],
  ['Or', holds((left, right) => left !== 0 || right !== 0)],
  ['Xor', holds((left, right) => (left !== 0) !== (right !== 0))],
  ['Where', combining(([condition, yes, no]) => (condition === 0 ? no! : yes!))],
  [
    'ArgMax',
    reducing(
      firstBest((value, best) => value > best),
      ElementType.INT64,
    ),
  ],
  [
    'ArgMin',
    reducing(
      firstBest((value, best) => value < best),
      ElementType.INT64,
    ),
  ],
  ['ReduceMax', reducing((values) => Math.max(...values))],
  ['ReduceMin', reducing((values) => Math.min(...values))],
  ['ReduceSum', reducing((values) => values.reduce((sum, value) => Math.fround(sum + value)))],
  ['ReduceProd', reducing((values) => values.reduce((product, value) => Math.fround(product * value)))],
]);
