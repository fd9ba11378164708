import { InvalidModelError, quoted } from '../errors.js';
import type { OnnxModel, OnnxNode, OnnxValueInfo } from '../onnx/model-proto.js';
import { NodeAttributes } from '../onnx/node-attributes.js';
import { type NumberType, numberTypes } from '../onnx/number-types.js';
import { inputColumns } from './before-trees.js';
import type { Columns } from './columns.js';

/** An input of the model and the features it carries. */
export interface ModelInput {
  readonly name: string;
  readonly elementType: number;
  readonly firstFeature: number;
  readonly columns: Columns;
  readonly widthDeclared: boolean;
  /** True when the model takes exactly one row per run. */
  readonly oneRow: boolean;
}

/**
 * Lists the inputs of a model in order. Features are numbered across all inputs.
 * @param featureCount width of a row, when the model does not declare it
 * @throws InvalidModelError when an input is not a matrix of numbers, or its width does not fit
 */
export function modelInputs(
  model: OnnxModel,
  treeNodes: readonly OnnxNode[],
  featureCount: number | undefined,
): ModelInput[] {
  const declared = model.inputs.filter((input) => !model.initializers.has(input.name));
  if (declared.length === 0) throw new InvalidModelError('ONNX file', 'it has no input', 'export the model again');
  let first = 0;
  const inputs = declared.map((input) => {
    const rowless = input.shape?.length === 1 && isRowVector(input, model);
    const onePerRow = input.shape?.length === 1 && !rowless;
    const fallback = (): number => featureCount ?? widestAsked(model, treeNodes);
    const width = onePerRow ? 1 : inputWidth(input, declared.length, fallback);
    const entry: ModelInput = {
      name: input.name,
      elementType: input.elementType,
      firstFeature: first,
      columns: inputColumns(input.elementType, first, onePerRow ? [] : [width], rowless),
      widthDeclared: onePerRow || (input.shape?.at(-1) ?? null) !== null,
      oneRow: rowless || fixedRows(input),
    };
    first += width;
    return entry;
  });
  if (first > mostFeatures)
    throw new InvalidModelError(
      'ONNX file',
      `it has more than ${mostFeatures} input features, which is the limit`,
      'serve a smaller model',
    );
  if (featureCount !== undefined && featureCount !== first)
    throw new InvalidModelError(
      'ONNX file',
      `it takes ${first} features, but the rows have ${featureCount}`,
      `give ${first} features, in the order of training`,
    );
  return inputs;
}

const mostFeatures = 100_000;

/**
 * Tells whether an input of one axis is the vector of one row, which a node makes into a row. Any other such input holds
 * one value per row: ONNX Runtime's trees read it so too.
 */
function isRowVector({ name }: OnnxValueInfo, model: OnnxModel): boolean {
  const list = (node: OnnxNode, attribute: string): number[] => [
    ...(model.initializers.get(node.inputs[1] ?? '')?.values ?? new NodeAttributes(node).integers(attribute)),
  ];
  const reader = model.nodes.find((node) => node.inputs.includes(name));
  switch (reader?.operator) {
    case 'Unsqueeze':
      return list(reader, 'axes').includes(0);
    case 'Reshape':
      return list(reader, 'shape').at(-1) !== 1;
    case 'Concat':
      return new NodeAttributes(reader).integer('axis', 1) === 0;
    default:
      return false;
  }
}

/** Returns the type of each feature, in order. */
export function featureTypes(inputs: readonly ModelInput[]): NumberType[] {
  return inputs.flatMap((input) => input.columns.columns.map(() => numberTypes.get(input.elementType)!));
}

function inputWidth(input: OnnxValueInfo, inputCount: number, fallback: () => number): number {
  if (!numberTypes.has(input.elementType))
    throw new InvalidModelError(
      `input ${quoted(input.name)}`,
      'it is not a tensor of numbers, truth values or text',
      'export the model with an input of shape [None, features]',
    );
  if (input.shape && (input.shape.length > 2 || input.shape.length === 0))
    throw new InvalidModelError(
      `input ${quoted(input.name)}`,
      `it has ${input.shape.length} dimensions, not rows and columns`,
      'export the model with an input of shape [None, features]',
    );
  const width = input.shape?.at(-1) ?? null;
  if (width !== null) return width;
  if (inputCount > 1)
    throw new InvalidModelError(
      `input ${quoted(input.name)}`,
      'its width is not declared',
      'export the model with an input of shape [None, features]',
    );
  return fallback();
}

function fixedRows(input: OnnxValueInfo): boolean {
  const rows = input.shape?.[0] ?? null;
  if (rows !== null && rows !== 1)
    throw new InvalidModelError(
      `input ${quoted(input.name)}`,
      `it takes exactly ${rows} rows`,
      'export the model with an input of shape [None, features]',
    );
  return rows === 1;
}

/** Returns the width of the widest row that a node of the graph needs. */
function widestAsked(model: OnnxModel, treeNodes: readonly OnnxNode[]): number {
  let widest = 1;
  for (const node of treeNodes)
    for (const feature of new NodeAttributes(node).integers('nodes_featureids')) widest = Math.max(widest, feature + 1);
  for (const node of model.nodes) {
    const attributes = new NodeAttributes(node);
    if (node.operator === 'Scaler') widest = Math.max(widest, attributes.floats('offset').length);
    if (node.operator === 'Imputer')
      widest = Math.max(
        widest,
        attributes.floats('imputed_value_floats').length,
        attributes.integers('imputed_value_int64s').length,
      );
  }
  return widest;
}
