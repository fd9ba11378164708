const buffer = new DataView(new ArrayBuffer(8));

/**
 * Returns the next number of a precision above (`up`) or below a value. Infinities and NaN stay.
 * @param precision 32 or 64 bits
 */
export function nextFloat(value: number, up: boolean, precision: 32 | 64): number {
  if (!Number.isFinite(value)) return value;
  if (value === 0) return (up ? 1 : -1) * (precision === 32 ? 2 ** -149 : Number.MIN_VALUE);
  const away = up === value > 0 ? 1 : -1;
  if (precision === 32) {
    buffer.setFloat32(0, value);
    buffer.setInt32(0, buffer.getInt32(0) + away);
    return buffer.getFloat32(0);
  }
  buffer.setFloat64(0, value);
  buffer.setBigInt64(0, buffer.getBigInt64(0) + BigInt(away));
  return buffer.getFloat64(0);
}
