import { InvalidModelError, quoted } from '../errors.js';
import { halfToNumber } from './half-float.js';
import { longestList, NumberList, StringList } from './lists.js';
import { type WireReader, WireType } from './wire-reader.js';

/** The values of TensorProto.DataType that tree models use. */
export const ElementType = {
  FLOAT: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  STRING: 8,
  BOOL: 9,
  FLOAT16: 10,
  DOUBLE: 11,
  UINT32: 12,
  UINT64: 13,
} as const;

/**
 * A constant tensor. `values` is empty for strings and for types that tree models do not use. An integer beyond 2^53 is
 * rounded; a reader that needs its exact value refuses it.
 */
export interface OnnxTensor {
  readonly name: string;
  readonly elementType: number;
  readonly shape: readonly number[];
  readonly values: Float64Array;
  /** The values of a tensor of strings. */
  readonly strings?: StringList;
}

/**
 * @throws InvalidModelError when data lie outside the file, their length differs from the shape, or a type is unknown
 */
export function readTensor(reader: WireReader): OnnxTensor {
  const shape: number[] = [];
  const numbers = new NumberList();
  let name = '';
  let elementType = 0;
  let raw: Uint8Array | undefined;
  const strings = new StringList();
  while (!reader.done) {
    const { field, wireType } = reader.tag();
    if (field === 1) readRepeated(reader, wireType, WireType.VARINT, (values) => shape.push(values.varint()));
    else if (field === 2 && wireType === WireType.VARINT) elementType = reader.varint();
    else if (field === 4) readRepeated(reader, wireType, WireType.FIXED32, (values) => numbers.push(values.float32()));
    else if (field === 5 || field === 7 || field === 11)
      readRepeated(reader, wireType, WireType.VARINT, (values) => numbers.push(values.varint()));
    else if (field === 10) readRepeated(reader, wireType, WireType.FIXED64, (values) => numbers.push(values.float64()));
    else if (field === 6 && wireType === WireType.LENGTH) strings.push(reader.bytesField());
    else if (field === 8 && wireType === WireType.LENGTH) name = reader.text();
    else if (field === 9 && wireType === WireType.LENGTH) raw = reader.bytesField();
    else if (field === 13)
      throw new InvalidModelError(
        `ONNX file, tensor ${quoted(name)}`,
        'its data are kept in another file',
        'save the model as one file, without external data',
      );
    else reader.skip(wireType);
    if (shape.length > 8) throw reader.malformed('a tensor has more than eight dimensions');
  }
  const known = elementType === ElementType.STRING || elementType in rawElements;
  const values = !known ? new Float64Array(0) : raw ? decodeRaw(raw, elementType, name) : listed(numbers, elementType);
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  const present = !known ? count : elementType === ElementType.STRING ? strings.length : values.length;
  if (shape.some((dimension) => dimension < 0) || count !== present) {
    throw new InvalidModelError(
      `ONNX file, tensor ${quoted(name)}`,
      `its shape [${shape.join(', ')}] does not fit its ${present} values`,
      'export the model again',
    );
  }
  return strings.length > 0 ? { name, elementType, shape, values, strings } : { name, elementType, shape, values };
}

/** Returns values of a typed list. Half-precision floats are listed as the integers of their bits. */
function listed(numbers: NumberList, elementType: number): Float64Array {
  return elementType === ElementType.FLOAT16 ? numbers.values().map(halfToNumber) : numbers.values();
}

function readRepeated(reader: WireReader, wireType: number, single: number, read: (values: WireReader) => void): void {
  if (wireType === single) return read(reader);
  reader.expect('of numbers', wireType, WireType.LENGTH);
  const packed = reader.nested('packed tensor values');
  while (!packed.done) read(packed);
}

function decodeRaw(bytes: Uint8Array, elementType: number, name: string): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const element = rawElements[elementType]!;
  if (bytes.length % element.size !== 0)
    throw new InvalidModelError(
      `ONNX file, tensor ${quoted(name)}`,
      'its raw data are cut within a value',
      'export the model again',
    );
  if (bytes.length / element.size > longestList)
    throw new InvalidModelError(
      `ONNX file, tensor ${quoted(name)}`,
      `it has more than ${longestList} values, which is the limit`,
      'serve a smaller model',
    );
  return Float64Array.from({ length: bytes.length / element.size }, (_, index) =>
    element.read(view, index * element.size),
  );
}

const rawElements: Readonly<Record<number, { size: number; read: (view: DataView, offset: number) => number }>> = {
  [ElementType.FLOAT]: { size: 4, read: (view, offset) => view.getFloat32(offset, true) },
  [ElementType.DOUBLE]: { size: 8, read: (view, offset) => view.getFloat64(offset, true) },
  [ElementType.UINT8]: { size: 1, read: (view, offset) => view.getUint8(offset) },
  [ElementType.INT8]: { size: 1, read: (view, offset) => view.getInt8(offset) },
  [ElementType.BOOL]: { size: 1, read: (view, offset) => view.getUint8(offset) },
  [ElementType.INT16]: { size: 2, read: (view, offset) => view.getInt16(offset, true) },
  [ElementType.UINT16]: { size: 2, read: (view, offset) => view.getUint16(offset, true) },
  [ElementType.FLOAT16]: { size: 2, read: (view, offset) => halfToNumber(view.getUint16(offset, true)) },
  [ElementType.UINT32]: { size: 4, read: (view, offset) => view.getUint32(offset, true) },
  [ElementType.UINT64]: { size: 8, read: (view, offset) => Number(view.getBigUint64(offset, true)) },
  [ElementType.INT32]: { size: 4, read: (view, offset) => view.getInt32(offset, true) },
  [ElementType.INT64]: { size: 8, read: (view, offset) => Number(view.getBigInt64(offset, true)) },
};
