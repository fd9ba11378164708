import { mongo } from 'mongoose';

/** Bytes as MongoDB stores them, under the subtype that is left to applications. https://bsonspec.org/spec.html */
export const toBinary = (bytes: Uint8Array): mongo.Binary => new mongo.Binary(bytes, mongo.Binary.SUBTYPE_USER_DEFINED);

/** The bytes of a stored value; none where something else is stored. */
export function bytesOf(value: unknown): Uint8Array {
  return value instanceof mongo.Binary ? value.value() : new Uint8Array();
}
