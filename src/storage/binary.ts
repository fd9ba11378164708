import { mongo, Types } from 'mongoose';

/** Bytes as MongoDB stores them, with the subtype that is reserved for applications. https://bsonspec.org/spec.html */
export const toBinary = (bytes: Uint8Array): mongo.Binary => new mongo.Binary(bytes, mongo.Binary.SUBTYPE_USER_DEFINED);

/** The bytes of a value that is stored, or will be. The driver returns its own wrapper. Empty for any other value. */
export function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  return value instanceof mongo.Binary ? value.value() : new Uint8Array();
}

const bytesPerId = 12;

/** Packs object ids into bytes, one after the other. */
export function packIds(ids: readonly Types.ObjectId[]): Buffer {
  return Buffer.concat(ids.map((id) => id.id));
}

/** Unpacks the ids that `packIds` has packed. */
export function unpackIds(bytes: Uint8Array): Types.ObjectId[] {
  return Array.from(
    { length: bytes.length / bytesPerId },
    (_, index) =>
      new Types.ObjectId(Uint8Array.prototype.slice.call(bytes, index * bytesPerId, (index + 1) * bytesPerId)),
  );
}
