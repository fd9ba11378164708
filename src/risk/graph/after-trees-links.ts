import { type AfterTreesStep, column, first, refusedAfterTrees } from './after-trees-step.js';
import {
  affine,
  areShares,
  exponential,
  linked,
  rangeOf,
  sigmoid,
  sumOf,
  type TreeFunction,
} from './tree-functions.js';
import type { TreeSum } from './tree-sums.js';
import { groups, ungrouped } from './tree-tensor.js';

/** Puts a function of one column on each column. */
const each =
  (apply: (value: TreeFunction) => TreeFunction | undefined): AfterTreesStep =>
  (node, _attributes, operands) => {
    const tensor = first(node, operands);
    const columns = tensor.columns.map((value) => {
      const result = apply(value);
      if (!result)
        throw refusedAfterTrees(node, 'it follows another link, so the output is no known function of the trees');
      return result;
    });
    return [{ ...tensor, columns }];
  };

/** Tanh(x) is 2 sigmoid(2 x) - 1. */
const tanh = (value: TreeFunction): TreeFunction | undefined => {
  const doubled = sigmoid(affine(value, 2, 0));
  return doubled && affine(doubled, 2, -1);
};

const softmax: AfterTreesStep = (node, attributes, operands) => {
  const tensor = first(node, operands);
  const axis = column(node, tensor, attributes.integer('axis', -1));
  // Older operator sets join all dimensions from the axis on.
  if (tensor.shape.length !== 2) throw refusedAfterTrees(node, 'its input has more than rows and columns');
  const columns = groups(tensor, axis).map((group) => {
    const sums = group.map((value) => sumOf(value));
    if (sums.some((sum) => !sum)) throw refusedAfterTrees(node, 'it follows another link');
    const all = sums as TreeSum[];
    return all.map((_, place) => linked('SOFTMAX', all, place));
  });
  return [ungrouped(tensor, axis, columns)];
};

/** Takes a norm only where it does nothing: the columns are never below 0 and add up to 1. */
const norm: AfterTreesStep = (node, attributes, operands) => {
  const tensor = first(node, operands);
  const byOne =
    node.operator === 'Normalizer' ? attributes.text('norm', 'MAX') === 'L1' : attributes.integer('p', 2) === 1;
  const axis = column(node, tensor, attributes.integer('axis', -1));
  if (!byOne || !groups(tensor, axis).every(areShares)) throw refusedAfterTrees(node);
  return [tensor];
};

/** Takes bounds only where they do nothing. */
const clip: AfterTreesStep = (node, attributes, operands) => {
  const tensor = first(node, operands);
  const bound = (name: string, input: number, fallback: number): number =>
    attributes.has(name) ? attributes.float(name, fallback) : (operands[input]?.constant?.values[0] ?? fallback);
  const low = bound('min', 1, -Infinity);
  const high = bound('max', 2, Infinity);
  const within = tensor.columns.every((value) => {
    const range = rangeOf(value);
    return range.low >= low - 1e-6 && range.high <= high + 1e-6;
  });
  if (!within)
    throw refusedAfterTrees(
      node,
      `it cuts the output at ${low} and ${high}, which sums of the trees can exceed`,
      'export the model without it; RiskGraph keeps probabilities within 0 to 1',
    );
  return [tensor];
};

/** Operators after the trees that put a link on the columns, or that change nothing, by domain and name. */
export const linkSteps: readonly (readonly [string, AfterTreesStep])[] = [
  ['Exp', each(exponential)],
  ['Sigmoid', each(sigmoid)],
  ['Tanh', each(tanh)],
  ['Neg', each((value) => affine(value, -1, 0))],
  ['Softmax', softmax],
  ['ai.onnx.ml.Normalizer', norm],
  ['LpNormalization', norm],
  ['Clip', clip],
];
