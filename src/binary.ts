import { mongo } from 'mongoose';

/** Bytes as MongoDB stores them, under the subtype that is left to applications. https://bsonspec.org/spec.html */
export const toBinary = (bytes: Uint8Array): mongo.Binary => new mongo.Binary(bytes, mongo.Binary.SUBTYPE_USER_DEFINED);

/** The bytes of a value that is stored, or about to be: the driver hands out its own wrapper. None where something else is. */
export function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  return value instanceof mongo.Binary ? value.value() : new Uint8Array();
}
