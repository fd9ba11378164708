import { InvalidModelError } from '../errors.js';

/** The length limit of a list, e.g. of nodes of a forest: 14 times the 291,000 of 500 trees of depth 10. */
export const longestList = 4 * 1024 * 1024;

/** A list of numbers in one growing buffer: 8 bytes per value, and never more than `longestList` values. */
export class NumberList {
  private buffer = new Float64Array(16);
  length = 0;

  /** @throws InvalidModelError beyond `longestList` */
  push(value: number): void {
    if (this.length === this.buffer.length) {
      if (this.length >= longestList)
        throw new InvalidModelError(
          'ONNX file',
          `a list has more than ${longestList} values, which is the limit`,
          'serve a smaller model',
        );
      const larger = new Float64Array(this.buffer.length * 2);
      larger.set(this.buffer);
      this.buffer = larger;
    }
    this.buffer[this.length++] = value;
  }

  /** The values so far, not copied. */
  values(): Float64Array {
    return this.buffer.subarray(0, this.length);
  }
}

/**
 * UTF-8 strings of one file, kept as positions in it. A forest has one string per node; an object for each would take
 * ten times the file's size.
 */
export class StringList {
  private bytes: Uint8Array = new Uint8Array(0);
  private readonly starts = new NumberList();
  private readonly lengths = new NumberList();

  get length(): number {
    return this.starts.length;
  }

  /** @param text a view into the file's buffer; all strings of a list come from one buffer */
  push(text: Uint8Array): void {
    this.bytes = new Uint8Array(text.buffer);
    this.starts.push(text.byteOffset);
    this.lengths.push(text.length);
  }

  at(index: number): string {
    const start = this.starts.values()[index]!;
    return new TextDecoder().decode(this.bytes.subarray(start, start + this.lengths.values()[index]!));
  }

  /** Looks up every string in `codes` by its bytes, without decoding it; undefined when `codes` does not have it. */
  *codes<Code>(codes: ReadonlyMap<string, Code>): Generator<Code | undefined> {
    const starts = this.starts.values();
    const lengths = this.lengths.values();
    for (let index = 0; index < starts.length; index++) {
      const start = starts[index]!;
      yield lengths[index]! > 64
        ? undefined
        : codes.get(String.fromCharCode(...this.bytes.subarray(start, start + lengths[index]!)));
    }
  }
}
