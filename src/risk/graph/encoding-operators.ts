import type { StringList } from '../onnx/lists.js';
import { ElementType, type OnnxTensor } from '../onnx/tensor-proto.js';
import { cannotFollow, type ColumnStep, firstInput, type StepContext } from './column-step.js';
import { type Column, type Columns, mapColumns, nextColumn, sourceOf, withLandmarks } from './columns.js';

/** Computes (x - offset) * scale in float32; with double input, in float64 and then rounded to float32. */
const scaler: ColumnStep = (context) => {
  const source = firstInput(context);
  const offset = perColumn(context, source, 'offset', context.attributes.floats('offset'));
  const scale = perColumn(context, source, 'scale', context.attributes.floats('scale'));
  const double = source.elementType === ElementType.DOUBLE;
  return mapColumns(source, ElementType.FLOAT, (index) => {
    const [o, s] = [offset[index]!, scale[index]!];
    return double
      ? (value) => Math.fround((value - o) * s)
      : (value) => Math.fround(Math.fround(Math.fround(value) - o) * s);
  });
};

const imputer: ColumnStep = (context) => {
  const { attributes } = context;
  const source = firstInput(context);
  const integers = source.elementType === ElementType.INT64;
  const imputed = perColumn(
    context,
    source,
    `imputed_value_${integers ? 'int64' : 'float'}s`,
    integers ? attributes.integers('imputed_value_int64s') : attributes.floats('imputed_value_floats'),
  );
  const replaced = integers
    ? attributes.integer('replaced_value_int64', 0)
    : attributes.float('replaced_value_float', 0);
  return {
    ...source,
    columns: source.columns.map((column, index) => {
      const substitute = imputed[index]!;
      return nextColumn(
        column,
        (value) => (value === replaced || (Number.isNaN(value) && Number.isNaN(replaced)) ? substitute : value),
        { landmarks: withLandmarks(column, [replaced]) },
      );
    }),
  };
};

/** Tells whether the value is above the threshold. ONNX Runtime fails on NaN. */
const binarizer: ColumnStep = (context) => {
  const source = firstInput(context);
  const threshold = context.attributes.float('threshold', 0);
  return {
    ...source,
    columns: source.columns.map((column) => {
      if (column.feature >= 0 && Number.isNaN(column.apply(Number.NaN)))
        context.limits.present.set(column.feature, 'Binarizer');
      return nextColumn(column, (value) => (value > threshold ? 1 : 0), {
        landmarks: withLandmarks(column, [threshold]),
      });
    }),
  };
};

/**
 * Makes one column per category: 1 where the value is the category, else 0. Each column is a function of the same
 * feature. Without `zeros`, ONNX Runtime fails on another value.
 */
const oneHotEncoder: ColumnStep = (context) => {
  const { attributes, limits } = context;
  const source = firstInput(context);
  const text = source.elementType === ElementType.STRING;
  const categories = text
    ? texts(context, attributes.strings('cats_strings'))
    : [...attributes.integers('cats_int64s')];
  if (categories.length === 0)
    throw cannotFollow(context, `it has no categories of ${text ? 'text' : 'numbers'}`, 'export the model again');
  if (attributes.integer('zeros', 1) === 0)
    for (const column of source.columns) {
      if (column.feature < 0) continue;
      limits.allow(column.feature, sources(column, categories));
      if (!categories.includes(Math.trunc(column.apply(Number.NaN))))
        limits.present.set(column.feature, 'OneHotEncoder');
    }
  return {
    ...source,
    elementType: ElementType.FLOAT,
    dims: [...source.dims, categories.length],
    columns: source.columns.flatMap((column) =>
      categories.map((category) =>
        nextColumn(column, (value) => (Math.trunc(value) === category ? 1 : 0), {
          landmarks: withLandmarks(column, [category]),
        }),
      ),
    ),
  };
};

/** Finds the values of a column's feature at which the column has exactly one of the given values. */
function sources(column: Column, values: readonly number[]): number[] {
  return values
    .map((value) => sourceOf(column, value))
    .filter((at): at is number => at !== undefined && values.includes(column.apply(at)));
}

interface Side {
  readonly elementType: number;
  readonly values: readonly number[];
}

/** Looks each value up in a table of keys and values. A value that is not there becomes the default. */
const labelEncoder: ColumnStep = (context) => {
  const source = firstInput(context);
  const [keys, values] = tableOf(context, source.elementType === ElementType.STRING);
  if (keys.values.length !== values.values.length)
    throw cannotFollow(context, `it has ${keys.values.length} keys for ${values.values.length} values`);
  const table = new Map(keys.values.map((key, index) => [key, values.values[index]!]));
  const other = defaultOf(context, values.elementType);
  return {
    ...source,
    elementType: values.elementType,
    columns: source.columns.map((column) =>
      nextColumn(column, (value) => table.get(value) ?? other, { landmarks: withLandmarks(column, keys.values) }),
    ),
  };
};

function tableOf(context: StepContext, text: boolean): [Side, Side] {
  const classes = context.attributes.strings('classes_strings');
  if (!classes) return [sideOf(context, 'keys'), sideOf(context, 'values')];
  const names = { elementType: ElementType.STRING, values: texts(context, classes) };
  const places = { elementType: ElementType.INT64, values: names.values.map((_, index) => index) };
  return text ? [names, places] : [places, names];
}

function sideOf(context: StepContext, side: 'keys' | 'values'): Side {
  const { attributes } = context;
  const tensor = attributes.tensor(`${side}_tensor`);
  if (tensor) return { elementType: tensor.elementType, values: tensorValues(context, tensor) };
  const strings = attributes.strings(`${side}_strings`);
  if (strings?.length) return { elementType: ElementType.STRING, values: texts(context, strings) };
  const integers = attributes.integers(`${side}_int64s`);
  return integers.length > 0
    ? { elementType: ElementType.INT64, values: [...integers] }
    : { elementType: ElementType.FLOAT, values: [...attributes.floats(`${side}_floats`)] };
}

function defaultOf(context: StepContext, elementType: number): number {
  const { attributes, limits } = context;
  const tensor = attributes.tensor('default_tensor');
  if (tensor) return tensorValues(context, tensor)[0] ?? 0;
  if (elementType === ElementType.STRING) return limits.textIndex(attributes.text('default_string', '_Unused'));
  return elementType === ElementType.INT64
    ? attributes.integer('default_int64', -1)
    : attributes.float('default_float', 0);
}

function tensorValues(context: StepContext, { strings, values }: OnnxTensor): number[] {
  return strings ? texts(context, strings) : [...values];
}

function texts({ limits }: StepContext, list: StringList | undefined): number[] {
  return Array.from({ length: list?.length ?? 0 }, (_, index) => limits.textIndex(list!.at(index)));
}

/** Operators of ai.onnx.ml that encode values. */
export const encodingSteps: ReadonlyMap<string, ColumnStep> = new Map<string, ColumnStep>([
  ['ai.onnx.ml.Scaler', scaler],
  ['ai.onnx.ml.Imputer', imputer],
  ['ai.onnx.ml.Binarizer', binarizer],
  ['ai.onnx.ml.OneHotEncoder', oneHotEncoder],
  ['ai.onnx.ml.LabelEncoder', labelEncoder],
]);

/** Returns an attribute's value for each column. The attribute has one value for all, or one for each. */
function perColumn(context: StepContext, source: Columns, name: string, values: Float64Array): Float64Array {
  const columns = source.columns.length;
  if (values.length === columns) return values;
  if (values.length === 1) return new Float64Array(columns).fill(values[0]!);
  throw cannotFollow(
    context,
    `its ${name} has ${values.length} values for ${columns} columns`,
    'export the model again',
  );
}
