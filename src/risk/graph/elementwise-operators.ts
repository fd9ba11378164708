import { quoted, UnexplainableModelError } from '../errors.js';
import { nodeTitle } from '../onnx/node-attributes.js';
import type { OnnxNode } from '../onnx/model-proto.js';
import { ElementType } from '../onnx/tensor-proto.js';
import type { ColumnStep } from './column-step.js';
import { caster, type Columns, mapColumns, rounder } from './columns.js';
import { columnConstants } from './graph-index.js';

/** Makes the step `value op constant` or `constant op value`, rounded to the tensor's type. */
function arithmetic(operate: (left: number, right: number) => number): ColumnStep {
  return (node, _attributes, resolve, graph) => {
    const [left = '', right = ''] = node.inputs;
    const rightConstant = graph.constant(right);
    const constant = rightConstant ?? graph.constant(left);
    if (!constant) throw mixes(node, 'it combines two computed tensors before the trees');
    const source = resolve(rightConstant ? left : right);
    const constants = columnConstants(constant, source.columns.length);
    if (!constants) throw mixes(node, `its constant ${quoted(constant.name)} has another width than the features`);
    const round = rounder(source.elementType);
    return mapColumns(source, source.elementType, (index) => {
      const other = constants[index]!;
      return rightConstant ? (value) => round(operate(value, other)) : (value) => round(operate(other, value));
    });
  };
}

function unary(operate: (value: number) => number): ColumnStep {
  return (node, _attributes, resolve) => {
    const source = resolve(node.inputs[0] ?? '');
    return mapColumns(source, source.elementType, () => operate);
  };
}

const pass: ColumnStep = (node, _attributes, resolve) => resolve(node.inputs[0] ?? '');

const cast: ColumnStep = (node, attributes, resolve) => {
  const elementType = attributes.integer('to', 0);
  const convert = caster(elementType);
  if (!convert) throw mixes(node, `it casts to element type ${elementType}`, 'cast to float, double or integers');
  return mapColumns(resolve(node.inputs[0] ?? ''), elementType, () => convert);
};

/** Computes (x - offset) * scale in float32; with double input, in float64 and then rounded to float32. */
const scaler: ColumnStep = (node, attributes, resolve) => {
  const source = resolve(node.inputs[0] ?? '');
  const offset = perColumn(node, source, 'offset', attributes.floats('offset'));
  const scale = perColumn(node, source, 'scale', attributes.floats('scale'));
  const double = source.elementType === ElementType.DOUBLE;
  return mapColumns(source, ElementType.FLOAT, (index) => {
    const [o, s] = [offset[index]!, scale[index]!];
    return double
      ? (value) => Math.fround((value - o) * s)
      : (value) => Math.fround(Math.fround(Math.fround(value) - o) * s);
  });
};

const imputer: ColumnStep = (node, attributes, resolve) => {
  const source = resolve(node.inputs[0] ?? '');
  const integers = source.elementType === ElementType.INT64;
  const suffix = integers ? 'int64' : 'float';
  const imputed = perColumn(
    node,
    source,
    `imputed_value_${suffix}s`,
    integers ? attributes.integers('imputed_value_int64s') : attributes.floats('imputed_value_floats'),
  );
  const replaced = integers
    ? attributes.integer('replaced_value_int64', 0)
    : attributes.float('replaced_value_float', 0);
  return mapColumns(source, source.elementType, (index) => {
    const substitute = imputed[index]!;
    return (value) => (value === replaced || (Number.isNaN(value) && Number.isNaN(replaced)) ? substitute : value);
  });
};

const binarizer: ColumnStep = (node, attributes, resolve) => {
  const source = resolve(node.inputs[0] ?? '');
  const threshold = attributes.float('threshold', 0);
  return mapColumns(source, source.elementType, () => (value) => (value > threshold ? 1 : 0));
};

const clip: ColumnStep = (node, attributes, resolve, graph) => {
  const bound = (input: number, name: string, fallback: number): number => {
    const tensor = node.inputs[input];
    if (!tensor) return attributes.float(name, fallback);
    const constant = graph.constant(tensor);
    if (constant?.values.length !== 1) throw mixes(node, `its ${name} is computed`);
    return constant.values[0]!;
  };
  const [least, most] = [bound(1, 'min', -Infinity), bound(2, 'max', Infinity)];
  const source = resolve(node.inputs[0] ?? '');
  return mapColumns(
    source,
    source.elementType,
    () => (value) => (Number.isNaN(value) ? value : Math.min(Math.max(value, least), most)),
  );
};

/** Operators that treat every column on its own, by domain and name. Steps round as ONNX Runtime's kernels do. */
export const elementwiseSteps: ReadonlyMap<string, ColumnStep> = new Map<string, ColumnStep>([
  ['Identity', pass],
  ['Cast', cast],
  ['Add', arithmetic((left, right) => left + right)],
  ['Sub', arithmetic((left, right) => left - right)],
  ['Mul', arithmetic((left, right) => left * right)],
  ['Div', arithmetic((left, right) => left / right)],
  ['Neg', unary((value) => -value)],
  ['Abs', unary(Math.abs)],
  ['Floor', unary(Math.floor)],
  ['Ceil', unary(Math.ceil)],
  ['Clip', clip],
  ['ai.onnx.ml.Scaler', scaler],
  ['ai.onnx.ml.Imputer', imputer],
  ['ai.onnx.ml.Binarizer', binarizer],
]);

/** Returns an attribute's value for each column. The attribute has one value for all, or one for each. */
function perColumn(node: OnnxNode, source: Columns, name: string, values: Float64Array): Float64Array {
  const columns = source.columns.length;
  if (values.length === columns) return values;
  if (values.length === 1) return new Float64Array(columns).fill(values[0]!);
  throw mixes(node, `${name} has ${values.length} values for ${columns} features`, 'export the model again');
}

function mixes(
  node: OnnxNode,
  reason: string,
  remedy = 'put the trees directly on the features, or behind Scaler, Imputer or Cast only',
): UnexplainableModelError {
  return new UnexplainableModelError(`node ${nodeTitle(node)}`, reason, remedy);
}
