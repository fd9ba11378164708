import { describe, expect, test } from 'vitest';
import { WireReader } from '../../../src/risk/onnx/wire-reader.js';
import { lengthField, varint, varintField } from '../support/onnx-writer.js';

const read = (bytes: Uint8Array): WireReader => new WireReader(bytes, 'test message');

describe('WireReader', () => {
  test.each([
    0,
    1,
    127,
    128,
    300,
    2 ** 28,
    2 ** 31,
    2 ** 35 + 7,
    2 ** 52 + 1,
    Number.MAX_SAFE_INTEGER,
    -1,
    -2,
    -128,
    -(2 ** 28),
    -(2 ** 40) - 3,
    Number.MIN_SAFE_INTEGER,
  ])('reads %d', (value) => {
    expect(read(varint(value)).varint()).toBe(value);
  });

  test('rounds integers that a double cannot hold', () => {
    expect(read(varint(2n ** 63n - 1n)).varint()).toBe(2 ** 63);
    expect(read(varint(-(2n ** 63n))).varint()).toBe(-(2 ** 63));
  });

  test('refuses a number of more than ten bytes, and an incomplete one', () => {
    expect(() => read(new Uint8Array(11).fill(0x80)).varint()).toThrow(/more than ten bytes/);
    expect(() => read(Uint8Array.of(0x80, 0x80)).varint()).toThrow(/truncated/);
  });

  test('refuses a length beyond the end before it allocates anything', () => {
    const reader = read(Uint8Array.of(...varint(1 * 8 + 2), ...varint(2 ** 50), 1, 2, 3));
    reader.tag();
    expect(() => reader.bytesField()).toThrow(`test message: truncated or malformed: a field of ${2 ** 50} bytes`);
  });

  test('keeps an embedded message within its parent', () => {
    const inner = lengthField(1, Uint8Array.of(...varint(1 * 8 + 2), ...varint(5), 9));
    const reader = read(Uint8Array.of(...inner, 7, 7, 7, 7, 7));
    reader.tag();
    const nested = reader.nested('inner message');
    nested.tag();
    expect(() => nested.bytesField()).toThrow(/inner message: truncated/);
  });

  test('skips every wire type that ONNX uses and refuses the others', () => {
    const reader = read(
      Buffer.concat([
        varintField(1, 5),
        lengthField(2, Uint8Array.of(1, 2)),
        varint(3 * 8 + 1),
        new Uint8Array(8),
        varint(4 * 8 + 5),
        new Uint8Array(4),
        varint(5 * 8 + 3),
      ]),
    );
    const fields: number[] = [];
    for (let index = 0; index < 4; index++) {
      const { field, wireType } = reader.tag();
      fields.push(field);
      reader.skip(wireType);
    }
    expect(fields).toEqual([1, 2, 3, 4]);
    const { wireType } = reader.tag();
    expect(() => reader.skip(wireType)).toThrow(/wire type 3/);
  });
});
