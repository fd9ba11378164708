/** Binary data as the driver hands it out: its own wrapper where a document's class says Buffer. */
export function bytesOf(value: Uint8Array | { readonly buffer: Uint8Array }): Uint8Array {
  return value instanceof Uint8Array ? value : value.buffer;
}
