/**
 * Reads an ONNX file into plain objects. It knows the fields of the format, not the meaning of operators. Step by step:
 *
 * 1. `readModel` refuses a file that is empty or too large, then reads the operator sets and the graph.
 * 2. The graph gives its nodes, inputs, outputs and initializers; other fields are skipped.
 * 3. Each node gives its attributes. An attribute that comes twice is refused; one of an unknown kind is marked.
 * 4. Lists are counted against `modelLimits` while they grow, so that a hostile file fails before it fills the memory.
 */
import { InvalidModelError } from '../errors.js';
import { NumberList, StringList } from './lists.js';
import { readTensor, type OnnxTensor } from './tensor-proto.js';
import { WireReader, WireType } from './wire-reader.js';

/** The part of AttributeProto that models of trees use. Only the field that the writer filled is set. */
export interface OnnxAttribute {
  readonly name: string;
  readonly float?: number;
  readonly int?: number;
  readonly text?: string;
  readonly tensor?: OnnxTensor;
  readonly floats: Float64Array;
  readonly ints: Float64Array;
  readonly strings: StringList;
  /** True when it holds a graph, a sparse tensor or a type. None of the operators that RiskGraph reads has one. */
  readonly unsupported: boolean;
}

export interface OnnxNode {
  readonly name: string;
  readonly operator: string;
  /** '' is ai.onnx. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/**
 * A graph input or output. `elementType` 0: not a plain tensor. Dimension null: not fixed. `shape` null: not declared.
 */
export interface OnnxValueInfo {
  readonly name: string;
  readonly elementType: number;
  readonly shape: readonly (number | null)[] | null;
}

export interface OnnxModel {
  /** Operator set version by domain ('' is ai.onnx). */
  readonly operatorSets: ReadonlyMap<string, number>;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
}

/** Limits of a model. A forest of 500 trees and depth 10 is 11.5 MB, 15 attributes and one node. */
export const modelLimits = {
  bytes: 128 * 1024 * 1024,
  nodes: 10_000,
  attributesPerNode: 200,
  namesPerNode: 10_000,
  initializers: 10_000,
  values: 10_000,
} as const;

/**
 * Reads a ModelProto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto): only the fields that tree models need.
 * @throws InvalidModelError when the bytes are not a ModelProto, are truncated or exceed `modelLimits`
 */
export function readModel(bytes: Uint8Array): OnnxModel {
  if (bytes.length === 0) throw new InvalidModelError('ONNX file', 'it is empty', 'export the model again');
  if (bytes.length > modelLimits.bytes) throw tooMany('bytes', modelLimits.bytes);
  const model: MutableModel = { operatorSets: new Map(), nodes: [], initializers: new Map(), inputs: [], outputs: [] };
  let graphs = 0;
  const reader = new WireReader(bytes, 'ModelProto');
  while (!reader.done) {
    const { field, wireType } = reader.tag();
    if (field === 7) {
      reader.expect('graph', wireType, WireType.LENGTH);
      graphs++;
      readGraph(reader.nested('GraphProto'), model);
    } else if (field === 8) {
      reader.expect('opset_import', wireType, WireType.LENGTH);
      readOperatorSet(reader.nested('OperatorSetIdProto'), model.operatorSets);
    } else reader.skip(wireType);
  }
  if (graphs === 0)
    throw new InvalidModelError('ONNX file', 'it holds no graph', 'check that it is an ONNX model and export it again');
  return model;
}

type MutableModel = {
  -readonly [Key in keyof OnnxModel]: OnnxModel[Key] extends ReadonlyMap<infer K, infer V>
    ? Map<K, V>
    : OnnxModel[Key] extends readonly (infer Item)[]
      ? Item[]
      : never;
};

function readOperatorSet(reader: WireReader, sets: Map<string, number>): void {
  let domain = '';
  let version = 0;
  while (!reader.done) {
    const { field, wireType } = reader.tag();
    if (field === 1 && wireType === WireType.LENGTH) domain = reader.text();
    else if (field === 2 && wireType === WireType.VARINT) version = reader.varint();
    else reader.skip(wireType);
  }
  if (sets.size >= modelLimits.values) throw tooMany('operator sets', modelLimits.values);
  sets.set(domain === 'ai.onnx' ? '' : domain, version);
}

function readGraph(reader: WireReader, model: MutableModel): void {
  while (!reader.done) {
    const { field, wireType } = reader.tag();
    if (wireType !== WireType.LENGTH) reader.skip(wireType);
    else if (field === 1) add(model.nodes, readNode(reader.nested('NodeProto')), modelLimits.nodes, 'nodes');
    else if (field === 5) {
      const tensor = readTensor(reader.nested('TensorProto'));
      if (model.initializers.size >= modelLimits.initializers) throw tooMany('initializers', modelLimits.initializers);
      model.initializers.set(tensor.name, tensor);
    } else if (field === 11)
      add(model.inputs, readValueInfo(reader.nested('ValueInfoProto')), modelLimits.values, 'inputs');
    else if (field === 12)
      add(model.outputs, readValueInfo(reader.nested('ValueInfoProto')), modelLimits.values, 'outputs');
    else reader.skip(wireType);
  }
}

function readNode(reader: WireReader): OnnxNode {
  const node = {
    name: '',
    operator: '',
    domain: '',
    inputs: [] as string[],
    outputs: [] as string[],
    attributes: new Map<string, OnnxAttribute>(),
  };
  while (!reader.done) {
    const { field, wireType } = reader.tag();
    if (wireType !== WireType.LENGTH) reader.skip(wireType);
    else if (field === 1) add(node.inputs, reader.text(), modelLimits.namesPerNode, 'inputs of one node');
    else if (field === 2) add(node.outputs, reader.text(), modelLimits.namesPerNode, 'outputs of one node');
    else if (field === 3) node.name = reader.text();
    else if (field === 4) node.operator = reader.text();
    else if (field === 7) node.domain = reader.text();
    else if (field === 5) {
      const attribute = readAttribute(reader.nested('AttributeProto'));
      if (node.attributes.has(attribute.name))
        throw reader.malformed(`attribute ${attribute.name.slice(0, 60)} appears twice in one node`);
      if (node.attributes.size >= modelLimits.attributesPerNode)
        throw tooMany('attributes of one node', modelLimits.attributesPerNode);
      node.attributes.set(attribute.name, attribute);
    } else reader.skip(wireType);
  }
  return { ...node, domain: node.domain === 'ai.onnx' ? '' : node.domain };
}

function readAttribute(reader: WireReader): OnnxAttribute {
  const attribute: { -readonly [Key in keyof OnnxAttribute]: OnnxAttribute[Key] } = {
    name: '',
    floats: new Float64Array(0),
    ints: new Float64Array(0),
    strings: new StringList(),
    unsupported: false,
  };
  const floats = new NumberList();
  const ints = new NumberList();
  while (!reader.done) {
    const { field, wireType } = reader.tag();
    if (field === 1 && wireType === WireType.LENGTH) attribute.name = reader.text();
    else if (field === 2 && wireType === WireType.FIXED32) attribute.float = reader.float32();
    else if (field === 3 && wireType === WireType.VARINT) attribute.int = reader.varint();
    else if (field === 4 && wireType === WireType.LENGTH) attribute.text = reader.text();
    else if (field === 5 && wireType === WireType.LENGTH) attribute.tensor = readTensor(reader.nested('TensorProto'));
    else if (field === 7) readFloats(reader, wireType, floats);
    else if (field === 8) readIntegers(reader, wireType, ints);
    else if (field === 9 && wireType === WireType.LENGTH) attribute.strings.push(reader.bytesField());
    else {
      if ([6, 10, 11, 14, 15, 22, 23].includes(field)) attribute.unsupported = true;
      reader.skip(wireType);
    }
  }
  attribute.floats = floats.values();
  attribute.ints = ints.values();
  return attribute;
}

/** Reads a repeated float, packed or with one tag per value: writers do both. */
function readFloats(reader: WireReader, wireType: number, into: NumberList): void {
  if (wireType === WireType.FIXED32) return into.push(reader.float32());
  reader.expect('floats', wireType, WireType.LENGTH);
  const packed = reader.nested('packed floats');
  while (!packed.done) into.push(packed.float32());
}

/** Reads a repeated integer, packed or with one tag per value. */
function readIntegers(reader: WireReader, wireType: number, into: NumberList): void {
  if (wireType === WireType.VARINT) return into.push(reader.varint());
  reader.expect('ints', wireType, WireType.LENGTH);
  const packed = reader.nested('packed integers');
  while (!packed.done) into.push(packed.varint());
}

function readValueInfo(reader: WireReader): OnnxValueInfo {
  const info: { name: string; elementType: number; shape: (number | null)[] | null } = {
    name: '',
    elementType: 0,
    shape: null,
  };
  while (!reader.done) {
    const { field, wireType } = reader.tag();
    if (field === 1 && wireType === WireType.LENGTH) info.name = reader.text();
    else if (field === 2 && wireType === WireType.LENGTH)
      eachMessage(reader.nested('TypeProto'), 1, (tensor) => readTensorType(tensor, info));
    else reader.skip(wireType);
  }
  return info;
}

function readTensorType(reader: WireReader, info: { elementType: number; shape: (number | null)[] | null }): void {
  while (!reader.done) {
    const { field, wireType } = reader.tag();
    if (field === 1 && wireType === WireType.VARINT) info.elementType = reader.varint();
    else if (field === 2 && wireType === WireType.LENGTH) {
      const shape: (number | null)[] = [];
      eachMessage(reader.nested('TensorShapeProto'), 1, (dimension) =>
        add(shape, readDimension(dimension), 8, 'dimensions'),
      );
      info.shape = shape;
    } else reader.skip(wireType);
  }
}

function readDimension(reader: WireReader): number | null {
  let value: number | null = null;
  while (!reader.done) {
    const { field, wireType } = reader.tag();
    if (field === 1 && wireType === WireType.VARINT) value = reader.varint();
    else reader.skip(wireType);
  }
  // For "any number", exporters write 0, -1 or nothing.
  return value !== null && value > 0 ? value : null;
}

function eachMessage(reader: WireReader, wanted: number, read: (nested: WireReader) => void): void {
  while (!reader.done) {
    const { field, wireType } = reader.tag();
    if (field === wanted && wireType === WireType.LENGTH) read(reader.nested(`${reader.message} field ${field}`));
    else reader.skip(wireType);
  }
}

function add<Item>(list: Item[], item: Item, limit: number, what: string): void {
  if (list.length >= limit) throw tooMany(what, limit);
  list.push(item);
}

function tooMany(what: string, limit: number): InvalidModelError {
  return new InvalidModelError(
    'ONNX file',
    `it has more than ${limit} ${what}, which is the limit`,
    'serve a smaller model',
  );
}
