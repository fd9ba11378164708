import type { OnnxNode } from '../onnx/model-proto.js';
import {
  type AfterTreesStep,
  column,
  first,
  list,
  type Operand,
  refusedAfterTrees,
  required,
} from './after-trees-step.js';
import { add, affine, constantOf, exponential, linear, quotient, type TreeFunction } from './tree-functions.js';
import { constantSum } from './tree-sums.js';
import { broadcast, groups, product, rowsDimension, type TreeTensor } from './tree-tensor.js';

const severalLinks =
  'it adds outputs of several models that each have a link of their own (a sigmoid), so the output is no function of ' +
  'one sum of the trees';
const oneLink = 'serve one of the models; for calibration, fit CalibratedClassifierCV with ensemble=False';

type Binary = (left: TreeFunction, right: TreeFunction, node: OnnxNode) => TreeFunction | undefined;

const plus: Binary = (left, right, node) => {
  const sum = add(left, right);
  if (!sum) throw refusedAfterTrees(node, severalLinks, oneLink);
  return sum;
};

const times: Binary = (left, right) => {
  const factor = constantOf(right);
  if (factor !== undefined) return affine(left, factor, 0);
  const other = constantOf(left);
  return other === undefined ? undefined : affine(right, other, 0);
};

const over: Binary = (left, right) => {
  const divisor = constantOf(right);
  if (divisor !== undefined) return divisor === 0 ? undefined : affine(left, 1 / divisor, 0);
  const numerator = constantOf(left);
  return numerator === undefined ? undefined : quotient(numerator, right);
};

const power: Binary = (base, exponent) => {
  const constant = constantOf(base);
  if (constantOf(exponent) === 1) return base;
  return constant === undefined || constant <= 0 ? undefined : exponential(affine(exponent, Math.log(constant), 0));
};

/** Broadcasts an operand over the columns of the node's widest tensor of the trees. */
function columnsOf(node: OnnxNode, operand: Operand, shape: TreeTensor): TreeFunction[] {
  const columns = operand.tensor
    ? broadcast(shape, operand.tensor.shape, operand.tensor.columns)
    : operand.constant && broadcast(shape, operand.constant.shape, constants(operand.constant.values));
  if (!columns) throw refusedAfterTrees(node, 'its inputs have shapes that are not joined column by column');
  return columns;
}

const constants = (values: Float64Array): TreeFunction[] => Array.from(values, (value) => linear(constantSum(value)));

const combine =
  (apply: Binary, finish: (value: TreeFunction, count: number) => TreeFunction = (value) => value): AfterTreesStep =>
  (node, _attributes, operands) => {
    const widest = operands
      .map(({ tensor }) => tensor)
      .reduce((most, tensor) => (tensor && (!most || tensor.shape.length > most.shape.length) ? tensor : most));
    const shape = widest ?? first(node, operands);
    const [start, ...rest] = operands.map((operand) => columnsOf(node, operand, shape));
    const columns = start!.map((value, place) => {
      const result = rest.reduce<TreeFunction | undefined>(
        (total, values) => total && apply(total, values[place]!, node),
        value,
      );
      const finished = result && finish(result, operands.length);
      if (!finished || !isFinite(finished)) throw refusedAfterTrees(node);
      return finished;
    });
    return [{ ...shape, columns }];
  };

/** Adds up, or averages, the elements of dimensions that are not the rows'. */
const reduce =
  (mean: boolean): AfterTreesStep =>
  (node, attributes, operands) => {
    let tensor = first(node, operands);
    const given = list(node, attributes, operands, 'axes', 1) ?? [];
    if (given.length === 0) throw refusedAfterTrees(node, 'it joins all rows into one number');
    const axes = given.map((axis) => column(node, tensor, axis)).sort((left, right) => right - left);
    if (new Set(axes).size !== axes.length) return required(node, undefined);
    const count = product(axes.map((axis) => tensor.shape[axis]!));
    for (const axis of axes) {
      const columns = groups(tensor, axis).map((group) => group.reduce((sum, value) => plus(sum, value, node)!));
      tensor = { shape: tensor.shape.with(axis, 1), columns };
    }
    const keep = attributes.integer('keepdims', 1) !== 0;
    return [
      {
        shape: keep
          ? tensor.shape
          : tensor.shape.filter((length, place) => length === rowsDimension || !axes.includes(place)),
        columns: mean ? tensor.columns.map((value) => affine(value, 1 / count, 0)) : tensor.columns,
      },
    ];
  };

function isFinite({ of, scale, shift }: TreeFunction): boolean {
  return (
    Number.isFinite(scale) &&
    Number.isFinite(shift) &&
    of.every(
      ({ offset, terms }) =>
        Number.isFinite(offset) && [...terms.values()].every((factors) => [...factors.values()].every(Number.isFinite)),
    )
  );
}

/** Operators after the trees that add and multiply, by name. */
export const arithmeticSteps: readonly (readonly [string, AfterTreesStep])[] = [
  ['Add', combine(plus)],
  ['Sum', combine(plus)],
  ['Mean', combine(plus, (value, count) => affine(value, 1 / count, 0))],
  ['Sub', combine((left, right, node) => plus(left, affine(right, -1, 0), node))],
  ['Mul', combine(times)],
  ['Div', combine(over)],
  ['Pow', combine(power)],
  ['ReduceSum', reduce(false)],
  ['ReduceMean', reduce(true)],
];
