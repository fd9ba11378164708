import { Types } from 'mongoose';

const bytesPerId = 12;

/** Object ids as bytes, one after the other. */
export function packIds(ids: readonly Types.ObjectId[]): Buffer {
  return Buffer.concat(ids.map((id) => id.id));
}

/** The ids of `packIds`. */
export function unpackIds(bytes: Uint8Array): Types.ObjectId[] {
  return Array.from({ length: bytes.length / bytesPerId }, (_, index) =>
    new Types.ObjectId(Uint8Array.prototype.slice.call(bytes, index * bytesPerId, (index + 1) * bytesPerId)),
  );
}
