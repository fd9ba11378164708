import { halfToNumber, numberToHalf } from '../onnx/half-float.js';

const buffer = new DataView(new ArrayBuffer(8));

/** Bits of a float. */
type Precision = 16 | 32 | 64;

const smallest: Readonly<Record<Precision, number>> = { 16: 2 ** -24, 32: 2 ** -149, 64: Number.MIN_VALUE };

/** Returns the nearest number of a precision. */
export function roundTo(precision: Precision, value: number): number {
  if (precision === 64) return value;
  return precision === 32 ? Math.fround(value) : halfToNumber(numberToHalf(value));
}

/** Returns the next number of a precision above (`up`) or below a value. Infinities and NaN stay. */
export function nextFloat(value: number, up: boolean, precision: Precision): number {
  if (!Number.isFinite(value)) return value;
  if (value === 0) return (up ? 1 : -1) * smallest[precision];
  const away = up === value > 0 ? 1 : -1;
  if (precision === 16) return halfToNumber(numberToHalf(value) + away);
  if (precision === 32) {
    buffer.setFloat32(0, value);
    buffer.setInt32(0, buffer.getInt32(0) + away);
    return buffer.getFloat32(0);
  }
  buffer.setFloat64(0, value);
  buffer.setBigInt64(0, buffer.getBigInt64(0) + BigInt(away));
  return buffer.getFloat64(0);
}
