import { InvalidModelError } from '../errors.js';

/** Wire types of the protobuf encoding, https://protobuf.dev/programming-guides/encoding/ */
export const WireType = { VARINT: 0, FIXED64: 1, LENGTH: 2, FIXED32: 5 } as const;

/**
 * Reads protobuf's wire format over a byte range that it never leaves and never copies. Each length is checked against
 * the bytes that remain before memory is allocated. So memory is bounded by the size of the file.
 */
export class WireReader {
  private position: number;
  private readonly view: DataView;

  /** @param message name of the message being read, for errors */
  constructor(
    private readonly bytes: Uint8Array,
    readonly message: string,
    start = 0,
    private readonly end: number = bytes.length,
  ) {
    this.position = start;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.position >= this.end;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  /** Reads the next field's number and wire type. */
  tag(): { field: number; wireType: number } {
    const tag = this.varint();
    const field = Math.floor(tag / 8);
    if (tag < 0 || field < 1 || field > 536_870_911) throw this.malformed(`field number ${field} does not exist`);
    return { field, wireType: tag % 8 };
  }

  /**
   * Reads a varint as a signed 64-bit integer. One beyond 2^53 is rounded: exporters write the largest integer for "to
   * the end". Lengths and field numbers that large are refused, and so are attributes that are used.
   */
  varint(): number {
    let low = 0; // bits 0 to 27
    let middle = 0; // bits 28 to 55
    let high = 0; // bits 56 to 63
    for (let index = 0; index < 10; index++) {
      if (this.position >= this.end) throw this.truncated('a number');
      const byte = this.bytes[this.position++]!;
      const bits = byte & 0x7f;
      if (index < 4) low |= bits << (7 * index);
      else if (index < 8) middle |= bits << (7 * (index - 4));
      else high |= bits << (7 * (index - 8));
      if (byte < 0x80) return this.assemble(low, middle, high);
    }
    throw this.malformed('a number has more than ten bytes');
  }

  private assemble(low: number, middle: number, high: number): number {
    const negative = (high & 0x80) !== 0;
    return negative
      ? -1 - ((~low & 0xfffffff) + (~middle & 0xfffffff) * 2 ** 28 + (~high & 0xff) * 2 ** 56)
      : low + middle * 2 ** 28 + (high & 0xff) * 2 ** 56;
  }

  float32(): number {
    if (this.remaining < 4) throw this.truncated('a float');
    const value = this.view.getFloat32(this.position, true);
    this.position += 4;
    return value;
  }

  float64(): number {
    if (this.remaining < 8) throw this.truncated('a double');
    const value = this.view.getFloat64(this.position, true);
    this.position += 8;
    return value;
  }

  /** Returns the bytes of a length-delimited field, not copied. */
  bytesField(): Uint8Array {
    const length = this.length();
    const start = this.position;
    this.position += length;
    return this.bytes.subarray(start, start + length);
  }

  /** Makes a reader over an embedded message or a packed list. */
  nested(message: string): WireReader {
    const length = this.length();
    const start = this.position;
    this.position += length;
    return new WireReader(this.bytes, message, start, start + length);
  }

  text(): string {
    return new TextDecoder().decode(this.bytesField());
  }

  skip(wireType: number): void {
    if (wireType === WireType.VARINT) this.varint();
    else if (wireType === WireType.FIXED64) this.float64();
    else if (wireType === WireType.LENGTH) this.bytesField();
    else if (wireType === WireType.FIXED32) this.float32();
    else throw this.malformed(`wire type ${wireType} is not used by ONNX`);
  }

  /** @throws InvalidModelError when a known field does not have the wire type its definition gives it */
  expect(field: string, actual: number, wanted: number): void {
    if (actual !== wanted) throw this.malformed(`field ${field} has wire type ${actual}, not ${wanted}`);
  }

  malformed(reason: string): InvalidModelError {
    return new InvalidModelError(
      `ONNX file, ${this.message}`,
      `not a valid protobuf message at byte ${this.position}: ${reason}`,
      'export the model again',
    );
  }

  private length(): number {
    const length = this.varint();
    if (length < 0) throw this.malformed('a negative length');
    if (length > this.remaining) throw this.truncated(`a field of ${length} bytes`);
    return length;
  }

  private truncated(what: string): InvalidModelError {
    return new InvalidModelError(
      `ONNX file, ${this.message}`,
      `truncated or malformed: ${what} begins at byte ${this.position}, but only ${Math.max(0, this.remaining)} ` +
        'bytes are left',
      'copy or export the model again',
    );
  }
}
