import type { Tensor as OnnxTensor } from 'onnxruntime-node';
import { InvalidModelError, oneLine } from './errors.js';
import type { ModelInput } from './graph/model-inputs.js';
import { InferenceSession, Tensor } from './onnx-runtime.js';
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
  { inputs, scoreTensor, scoreIsOutput, featureCount }: ParsedModel,
): Promise<OnnxSession> {
  const model = scoreIsOutput ? bytes : withOutput(bytes, scoreTensor);
  // One thread: the process does other work at the same time, and sums must not depend on how threads share the rows.
  const session = await InferenceSession.create(model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  }).catch((error: unknown) => {
    throw new InvalidModelError(
      'ONNX file',
      `ONNX Runtime refuses it (${shortened(error)})`,
      'export the model again',
      { cause: error },
    );
  });
  const runRows = async (rows: Float64Array, rowCount: number): Promise<Float64Array> => {
    const feeds = Object.fromEntries(
      inputs.map((input) => [input.name, toTensor(input, rows, rowCount, featureCount)]),
    );
    const result = await session.run(feeds, [scoreTensor]).catch((error: unknown) => {
      throw new InvalidModelError(
        'ONNX file',
        `ONNX Runtime cannot run it (${shortened(error)})`,
        'export the model again',
        { cause: error },
      );
    });
    return Float64Array.from(result[scoreTensor]!.data as Float32Array);
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

function toTensor(input: ModelInput, rows: Float64Array, rowCount: number, featureCount: number): OnnxTensor {
  const width = input.columns.columns.length;
  const at = (index: number): number =>
    rows[Math.floor(index / width) * featureCount + input.firstFeature + (index % width)]!;
  const shape = [rowCount, width];
  const length = rowCount * width;
  switch (input.elementType) {
    case ElementType.DOUBLE:
      return new Tensor(
        'float64',
        Float64Array.from({ length }, (_, index) => at(index)),
        shape,
      );
    case ElementType.INT64:
      return new Tensor(
        'int64',
        BigInt64Array.from({ length }, (_, index) => BigInt(at(index))),
        shape,
      );
    case ElementType.INT32:
      return new Tensor(
        'int32',
        Int32Array.from({ length }, (_, index) => at(index)),
        shape,
      );
    default:
      return new Tensor(
        'float32',
        Float32Array.from({ length }, (_, index) => at(index)),
        shape,
      );
  }
}

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

/** Removes source paths and line breaks from ONNX Runtime's messages. */
function shortened(error: unknown): string {
  const text = oneLine(error instanceof Error ? error.message : String(error)).replace(/\S*onnxruntime_src\S*\s*/g, '');
  return text.length > 200 ? `${text.slice(0, 197)}...` : text;
}
