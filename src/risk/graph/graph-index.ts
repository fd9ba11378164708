import { InvalidModelError, quoted } from '../errors.js';
import type { OnnxModel, OnnxNode } from '../onnx/model-proto.js';
import { NodeAttributes } from '../onnx/node-attributes.js';
import { ElementType, type OnnxTensor } from '../onnx/tensor-proto.js';

/** The nodes that make and that read each tensor of a graph. */
export class GraphIndex {
  private readonly producers = new Map<string, OnnxNode>();
  private readonly readers = new Map<string, OnnxNode[]>();
  private readonly outputNames: ReadonlySet<string>;

  /** @throws InvalidModelError when two nodes make one tensor */
  constructor(readonly model: OnnxModel) {
    for (const node of model.nodes) {
      for (const output of node.outputs) {
        if (output === '') continue;
        if (this.producers.has(output))
          throw new InvalidModelError(
            'ONNX file',
            `two nodes make the tensor ${quoted(output)}`,
            'export the model again',
          );
        this.producers.set(output, node);
      }
      for (const input of new Set(node.inputs)) {
        const readers = this.readers.get(input);
        if (readers) readers.push(node);
        else this.readers.set(input, [node]);
      }
    }
    this.outputNames = new Set(model.outputs.map((output) => output.name));
  }

  producer(tensor: string): OnnxNode | undefined {
    return this.producers.get(tensor);
  }

  readersOf(tensor: string): readonly OnnxNode[] {
    return this.readers.get(tensor) ?? [];
  }

  isOutput(tensor: string): boolean {
    return this.outputNames.has(tensor);
  }

  /** Returns a constant tensor, of an initializer or a Constant node; undefined when the tensor is computed. */
  constant(name: string): OnnxTensor | undefined {
    const initializer = this.model.initializers.get(name);
    if (initializer) return initializer;
    const node = this.producers.get(name);
    if (node?.operator !== 'Constant' || node.domain !== '') return undefined;
    const attributes = new NodeAttributes(node);
    const tensor = attributes.tensor('value');
    if (tensor) return tensor;
    const floats = attributes.has('value_float')
      ? Float64Array.of(attributes.float('value_float', 0))
      : attributes.floats('value_floats');
    if (floats.length > 0)
      return {
        name,
        elementType: ElementType.FLOAT,
        shape: attributes.has('value_float') ? [] : [floats.length],
        values: floats,
      };
    const integers = attributes.has('value_int')
      ? Float64Array.of(attributes.integer('value_int', 0))
      : attributes.integers('value_ints');
    return {
      name,
      elementType: ElementType.INT64,
      shape: attributes.has('value_int') ? [] : [integers.length],
      values: integers,
    };
  }
}
