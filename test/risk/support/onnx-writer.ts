/** Writes small ONNX files for tests: just enough of protobuf, with packed or unpacked lists. */

import { ElementType } from '../../../src/risk/onnx/tensor-proto.js';

type Bytes = Uint8Array;

export interface TensorValue {
  readonly type: number;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

export type AttributeValue =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | { readonly floats: readonly number[] }
  | { readonly float: number }
  | TensorValue;

export interface WrittenNode {
  readonly operator: string;
  readonly domain?: string;
  readonly name?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Numbers and lists of numbers are integers; floats are `{ float }` and `{ floats }`. */
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

export interface WrittenModel {
  readonly nodes: readonly WrittenNode[];
  readonly inputs: readonly { name: string; type?: number; shape: readonly (number | null)[] }[];
  readonly outputs: readonly { name: string; type?: number; shape: readonly (number | null)[] }[];
  readonly initializers?: Readonly<Record<string, TensorValue>>;
  readonly mlVersion?: number;
  readonly packed?: boolean;
}

export function varint(value: number | bigint): Bytes {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.of(...bytes, Number(rest));
}

export function lengthField(number: number, content: Bytes): Bytes {
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
}

export function varintField(number: number, value: number | bigint): Bytes {
  return Buffer.concat([varint(number * 8), varint(value)]);
}

function floatBytes(values: readonly number[]): Bytes {
  return new Uint8Array(Float32Array.from(values).buffer);
}

function text(number: number, value: string): Bytes {
  return lengthField(number, new TextEncoder().encode(value));
}

function tensorBytes(tensor: TensorValue, name = ''): Bytes {
  const raw =
    tensor.type === ElementType.DOUBLE
      ? new Uint8Array(Float64Array.from(tensor.values).buffer)
      : tensor.type === ElementType.INT64
        ? new Uint8Array(BigInt64Array.from(tensor.values, BigInt).buffer)
        : tensor.type === ElementType.UINT8
          ? Uint8Array.from(tensor.values)
          : floatBytes(tensor.values);
  return Buffer.concat([
    ...tensor.shape.map((dimension) => varintField(1, dimension)),
    varintField(2, tensor.type),
    text(8, name),
    lengthField(9, raw),
  ]);
}

function attributeBytes(name: string, value: AttributeValue, packed: boolean): Bytes {
  const parts: Bytes[] = [text(1, name)];
  if (typeof value === 'number') parts.push(varintField(3, value), varintField(20, 2));
  else if (typeof value === 'string') parts.push(text(4, value), varintField(20, 3));
  else if ('float' in value)
    parts.push(Buffer.concat([varint(2 * 8 + 5), floatBytes([value.float])]), varintField(20, 1));
  else if ('floats' in value)
    parts.push(
      ...(packed
        ? [lengthField(7, floatBytes(value.floats))]
        : value.floats.map((item) => Buffer.concat([varint(7 * 8 + 5), floatBytes([item])]))),
      varintField(20, 6),
    );
  else if ('shape' in value) parts.push(lengthField(5, tensorBytes(value)), varintField(20, 4));
  else if (typeof value[0] === 'string')
    parts.push(...(value as readonly string[]).map((item) => text(9, item)), varintField(20, 8));
  else {
    const integers = value as readonly number[];
    parts.push(
      ...(packed
        ? [lengthField(8, Buffer.concat(integers.map(varint)))]
        : integers.map((item) => varintField(8, item))),
      varintField(20, 7),
    );
  }
  return Buffer.concat(parts);
}

function nodeBytes(node: WrittenNode, packed: boolean): Bytes {
  return Buffer.concat([
    ...node.inputs.map((name) => text(1, name)),
    ...node.outputs.map((name) => text(2, name)),
    text(3, node.name ?? ''),
    text(4, node.operator),
    ...Object.entries(node.attributes ?? {}).map(([name, value]) =>
      lengthField(5, attributeBytes(name, value, packed)),
    ),
    text(7, node.domain ?? ''),
  ]);
}

function valueInfoBytes({ name, type = ElementType.FLOAT, shape }: WrittenModel['inputs'][number]): Bytes {
  const dimensions = shape.map((dimension) =>
    lengthField(1, dimension === null ? new Uint8Array(0) : varintField(1, dimension)),
  );
  const tensor = Buffer.concat([varintField(1, type), lengthField(2, Buffer.concat(dimensions))]);
  return Buffer.concat([text(1, name), lengthField(2, lengthField(1, tensor))]);
}

export function writeModel(model: WrittenModel): Bytes {
  const packed = model.packed ?? false;
  const graph = Buffer.concat([
    ...model.nodes.map((node) => lengthField(1, nodeBytes(node, packed))),
    text(2, 'graph'),
    ...Object.entries(model.initializers ?? {}).map(([name, tensor]) => lengthField(5, tensorBytes(tensor, name))),
    ...model.inputs.map((input) => lengthField(11, valueInfoBytes(input))),
    ...model.outputs.map((output) => lengthField(12, valueInfoBytes(output))),
  ]);
  const operatorSet = (domain: string, version: number): Bytes =>
    lengthField(8, Buffer.concat([text(1, domain), varintField(2, version)]));
  return Buffer.concat([
    varintField(1, 8),
    lengthField(7, graph),
    operatorSet('', 15),
    operatorSet('ai.onnx.ml', model.mlVersion ?? 1),
  ]);
}
