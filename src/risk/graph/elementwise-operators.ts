import { ElementType } from '../onnx/tensor-proto.js';
import { cannotFollow, type ColumnStep, firstInput } from './column-step.js';
import { caster, mapColumns, nextColumn, rounder, withLandmarks } from './columns.js';

function unary(operate: (value: number) => number, changes: { approximate?: true; to?: number } = {}): ColumnStep {
  return (context) => {
    const source = firstInput(context);
    const round = rounder(source.elementType);
    const step = (value: number): number => round(operate(value));
    return {
      ...source,
      elementType: changes.to ?? source.elementType,
      columns: source.columns.map((column) =>
        nextColumn(column, step, { approximate: column.approximate || changes.approximate === true }),
      ),
    };
  };
}

const cast: ColumnStep = (context) => {
  const elementType = context.attributes.integer('to', 0);
  const source = firstInput(context);
  if (source.elementType === elementType) return source;
  const convert = caster(elementType);
  if (!convert || source.elementType === ElementType.STRING)
    throw cannotFollow(
      context,
      `it casts ${source.elementType === ElementType.STRING ? 'text' : `to element type ${elementType}`}`,
      'cast numbers to float, double or integers, and encode text by OrdinalEncoder or OneHotEncoder',
    );
  return mapColumns(source, elementType, () => convert);
};

const clip: ColumnStep = (context) => {
  const { node, attributes, graph } = context;
  const bound = (input: number, name: string, fallback: number): number => {
    const tensor = node.inputs[input];
    if (!tensor) return attributes.float(name, fallback);
    const constant = graph.constant(tensor);
    if (constant?.values.length !== 1) throw cannotFollow(context, `its ${name} is computed`);
    return constant.values[0]!;
  };
  const [least, most] = [bound(1, 'min', -Infinity), bound(2, 'max', Infinity)];
  const source = firstInput(context);
  const step = (value: number): number => (Number.isNaN(value) ? value : Math.min(Math.max(value, least), most));
  return {
    ...source,
    columns: source.columns.map((column) =>
      nextColumn(column, step, { landmarks: withLandmarks(column, [least, most]) }),
    ),
  };
};

const truth = { to: ElementType.BOOL };
const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

/** Rounds half to even, as the operator Round does. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Operators that treat every value on its own, by domain and name. Steps round as ONNX Runtime's kernels do. */
export const elementwiseSteps: ReadonlyMap<string, ColumnStep> = new Map<string, ColumnStep>([
  ['Identity', firstInput],
  ['Cast', cast],
  ['Neg', unary((value) => -value)],
  ['Abs', unary(Math.abs)],
  ['Floor', unary(Math.floor)],
  ['Ceil', unary(Math.ceil)],
  ['Round', unary(roundHalfEven)],
  ['Sign', unary(Math.sign)],
  ['Sqrt', unary(Math.sqrt)],
  ['Reciprocal', unary((value) => 1 / value)],
  ['Relu', unary((value) => (value < 0 ? 0 : value))],
  ['Log', unary(Math.log, { approximate: true })],
  ['Exp', unary(Math.exp, { approximate: true })],
  ['Sigmoid', unary(sigmoid, { approximate: true })],
  ['Tanh', unary(Math.tanh, { approximate: true })],
  ['Not', unary((value) => (value === 0 ? 1 : 0), truth)],
  ['IsNaN', unary((value) => (Number.isNaN(value) ? 1 : 0), truth)],
  ['IsInf', unary((value) => (Math.abs(value) === Infinity ? 1 : 0), truth)],
  ['Clip', clip],
]);
