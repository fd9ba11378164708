import type { Tensor as OnnxTensor } from 'onnxruntime-node';
import { InvalidModelError, oneLine } from './errors.js';
import type { ModelInput } from './graph/model-inputs.js';
import { InferenceSession, Tensor } from './onnx-runtime.js';
import { numberToHalf } from './onnx/half-float.js';
import { type NumberType, numberTypes } from './onnx/number-types.js';
import { ElementType } from './onnx/tensor-proto.js';
import type { ParsedModel } from './parse-model.js';

/**
 * A session of ONNX Runtime over one model. It returns the tensor that the trees are compared with.
 * Make one session per model version, and close it.
 */
export interface OnnxSession {
  /**
   * @param rows row-major, rowCount x features over all inputs, NaN = missing
   * @returns row-major scores, rowCount x columns
   */
  run(rows: Float64Array, rowCount: number): Promise<Float64Array>;
  close(): Promise<void>;
}

/**
 * Starts a session for a parsed model. The tensor to compare is added to the model's outputs when it is not one of
 * them.
 * @throws InvalidModelError when ONNX Runtime refuses the model
 */
export async function startModelSession(
  bytes: Uint8Array,
  { inputs, scoreTensor, scoreIsOutput, featureCount, limits }: ParsedModel,
): Promise<OnnxSession> {
  const model = scoreIsOutput ? bytes : withOutput(bytes, scoreTensor);
  // One thread: the process does other work at the same time, and sums must not depend on how threads share the rows.
  const session = await InferenceSession.create(model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  }).catch((error: unknown) => {
    throw refused('ONNX Runtime refuses it', error, inputs);
  });
  const textOf = textsOf(limits.texts);
  const runRows = async (rows: Float64Array, rowCount: number): Promise<Float64Array> => {
    const feeds = Object.fromEntries(
      inputs.map((input) => [input.name, toTensor(input, rows, { rowCount, featureCount, textOf })]),
    );
    const result = await session.run(feeds, [scoreTensor]).catch((error: unknown) => {
      throw refused('ONNX Runtime cannot run it', error, inputs);
    });
    return Float64Array.from(result[scoreTensor]!.data as ArrayLike<number>, Number);
  };
  const oneRow = inputs.some((input) => input.oneRow);
  return {
    run: async (rows, rowCount) => {
      if (!oneRow || rowCount === 1) return runRows(rows, rowCount);
      const scores: Float64Array[] = [];
      for (let row = 0; row < rowCount; row++)
        scores.push(await runRows(rows.subarray(row * featureCount, (row + 1) * featureCount), 1));
      return Float64Array.from(scores.flatMap((score) => [...score]));
    },
    close: () => session.release(),
  };
}

interface RowShape {
  readonly rowCount: number;
  readonly featureCount: number;
  readonly textOf: (index: number) => string;
}

/** Takes the columns of one input out of rows of all features, row by row. */
function valuesOf(
  { columns, firstFeature }: ModelInput,
  rows: Float64Array,
  rowCount: number,
  featureCount: number,
): Float64Array {
  const width = columns.columns.length;
  if (width === featureCount) return rows;
  const values = new Float64Array(rowCount * width);
  for (let row = 0; row < rowCount; row++) {
    const first = row * featureCount + firstFeature;
    values.set(rows.subarray(first, first + width), row * width);
  }
  return values;
}

function toTensor(input: ModelInput, rows: Float64Array, { rowCount, featureCount, textOf }: RowShape): OnnxTensor {
  const values = valuesOf(input, rows, rowCount, featureCount);
  const { name } = numberTypes.get(input.elementType)!;
  const { dims, rowless } = input.columns;
  const shape = rowless ? dims : [rowCount, ...dims];
  if (name === 'string') return new Tensor('string', Array.from(values, textOf), shape);
  const data = typedArrays[name](values);
  const tensor = new Tensor(name, data as Float32Array, shape);
  // Node.js 24 has a Float16Array, which the library puts in place of our array, and which its own native part refuses.
  return name === 'float16' ? Object.assign(tensor, { cpuData: data }) : tensor;
}

/**
 * Returns the function from a text's index to the text. An index beyond those of the model stands for any text that the
 * model does not know; all of them have the same effect.
 */
function textsOf(texts: readonly string[]): (index: number) => string {
  let other = '(other)';
  while (texts.includes(other)) other += ')';
  return (index) => texts[index] ?? other;
}

/** The arrays that ONNX Runtime takes, by type. */
const typedArrays: Readonly<Record<Exclude<NumberType['name'], 'string'>, (values: Float64Array) => ArrayBufferView>> =
  {
    float32: (values) => Float32Array.from(values),
    float64: (values) => values,
    float16: (values) => Uint16Array.from(values, numberToHalf),
    bool: (values) => Uint8Array.from(values),
    int8: (values) => Int8Array.from(values),
    uint8: (values) => Uint8Array.from(values),
    int16: (values) => Int16Array.from(values),
    uint16: (values) => Uint16Array.from(values),
    int32: (values) => Int32Array.from(values),
    uint32: (values) => Uint32Array.from(values),
    int64: (values) => BigInt64Array.from({ length: values.length }, (_, index) => BigInt(Math.trunc(values[index]!))),
    uint64: (values) =>
      BigUint64Array.from({ length: values.length }, (_, index) => BigInt(Math.trunc(values[index]!))),
  };

/**
 * Adds one more graph output to the model. Protobuf merges a message that appears twice and appends its lists. So a
 * second `graph` field with only this output is enough: ModelProto.graph = 7, GraphProto.output = 12,
 * ValueInfoProto.name = 1.
 */
function withOutput(bytes: Uint8Array, tensor: string): Uint8Array {
  const name = new TextEncoder().encode(tensor);
  return Buffer.concat([bytes, field(7, field(12, field(1, name)))]);
}

function field(number: number, content: Uint8Array): Uint8Array {
  const length: number[] = [];
  let rest = content.length;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Uint8Array.of(number * 8 + 2, ...length, rest), content]);
}

/** The longest reason of ONNX Runtime that is shown whole. */
const longestReason = 600;

/** Makes the error for a model that ONNX Runtime refuses. It says float64 where that is the usual cause. */
function refused(problem: string, error: unknown, inputs: readonly ModelInput[]): InvalidModelError {
  const double = inputs.some((input) => input.elementType === ElementType.DOUBLE);
  return new InvalidModelError(
    'ONNX file',
    `${problem} (${shortened(error)})`,
    /False node must always be the next/.test(String(error))
      ? 'its trees share nodes, which ONNX Runtime does not load: write each shared subtree out when exporting'
      : double
        ? 'it takes float64 (double) inputs, which exporters often write wrongly: export it again with float32, by ' +
          '`X.astype(np.float32)` as the example or `FloatTensorType` in `initial_types`'
        : 'export it with an operator set and types that ONNX Runtime supports',
    { cause: error },
  );
}

/** Removes source paths, C++ signatures and line breaks from ONNX Runtime's messages. Their end holds the cause. */
function shortened(error: unknown): string {
  const text = oneLine(error instanceof Error ? error.message : String(error))
    .replace(/\S*onnxruntime_src\S*\s*/g, '')
    .replace(/(?:\S+ )?onnxruntime::.*[\])] (?=\S)/, '');
  return text.length > longestReason ? `${text.slice(0, 100)} ... ${text.slice(100 - longestReason)}` : text;
}
