import { InvalidModelError, quoted } from '../errors.js';
import type { StringList } from './lists.js';
import type { OnnxAttribute, OnnxNode } from './model-proto.js';
import { ElementType, type OnnxTensor } from './tensor-proto.js';

/** Names a node in errors: its operator and, if it has one, its name. */
export function nodeTitle(node: OnnxNode): string {
  return node.name && node.name !== node.operator
    ? `${quoted(node.name)} (${quoted(node.operator).slice(1, -1)})`
    : quoted(node.operator || node.name);
}

const smallerIntegers = 'number categories and nodes within 2^53 before training';

/** Reads a node's attributes by type. Absent lists are empty, as in ONNX Runtime. */
export class NodeAttributes {
  constructor(private readonly node: OnnxNode) {}

  has(name: string): boolean {
    return this.node.attributes.has(name);
  }

  /** @throws InvalidModelError when it is beyond 2^53 */
  integer(name: string, fallback: number): number {
    const value = this.get(name)?.int ?? fallback;
    if (!Number.isSafeInteger(value)) throw this.refuse(`attribute ${name} is an integer beyond 2^53`, smallerIntegers);
    return value;
  }

  float(name: string, fallback: number): number {
    return this.get(name)?.float ?? fallback;
  }

  text(name: string, fallback: string): string {
    return this.get(name)?.text ?? fallback;
  }

  /** @throws InvalidModelError when one is beyond 2^53 */
  integers(name: string): Float64Array {
    const values = this.get(name)?.ints ?? new Float64Array(0);
    if (!values.every(Number.isSafeInteger))
      throw this.refuse(`attribute ${name} has an integer beyond 2^53`, smallerIntegers);
    return values;
  }

  floats(name: string): Float64Array {
    return this.get(name)?.floats ?? new Float64Array(0);
  }

  strings(name: string): StringList | undefined {
    return this.get(name)?.strings;
  }

  tensor(name: string): OnnxTensor | undefined {
    return this.get(name)?.tensor;
  }

  /** Reads an integer list of exactly `length` values. @throws InvalidModelError when it has another length */
  integersOf(name: string, length: number): Float64Array {
    return this.ofLength(name, this.integers(name), length);
  }

  /**
   * Reads `name` (float32) or `name_as_tensor`. A node that has both is refused.
   * ONNX Runtime takes only a tensor of the precision in which it compares. Any other is refused here too.
   */
  floatsOrTensor(name: string, precision: 32 | 64): Float64Array {
    const floats = this.floats(name);
    const tensor = this.tensor(`${name}_as_tensor`);
    if (!tensor || tensor.values.length === 0) return floats;
    if (floats.length > 0) throw this.refuse(`${name} and ${name}_as_tensor are both given`);
    return this.tensorValues(tensor, `${name}_as_tensor`, precision);
  }

  /** Returns the numbers of a float or double tensor. @throws InvalidModelError when it has another precision */
  tensorValues(tensor: OnnxTensor, name: string, precision: 32 | 64): Float64Array {
    const wanted = precision === 64 ? ElementType.DOUBLE : ElementType.FLOAT;
    if (tensor.elementType !== wanted) {
      throw this.refuse(
        `${name} does not have the type of the node's input (${precision === 64 ? 'double' : 'float'})`,
        'cast the input to the type of the thresholds when exporting',
      );
    }
    return tensor.values;
  }

  ofLength(name: string, values: Float64Array, length: number): Float64Array {
    if (values.length !== length) throw this.refuse(`${name} has ${values.length} values where ${length} are needed`);
    return values;
  }

  refuse(reason: string, remedy = 'export the model again'): InvalidModelError {
    return new InvalidModelError(`node ${nodeTitle(this.node)}`, reason, remedy);
  }

  private get(name: string): OnnxAttribute | undefined {
    const attribute = this.node.attributes.get(name);
    if (attribute?.unsupported) throw this.refuse(`attribute ${name} is of a kind that no tree operator has`);
    return attribute;
  }
}
