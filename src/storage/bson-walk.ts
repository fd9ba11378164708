/** Types of BSON elements. https://bsonspec.org/spec.html */
export const BsonType = {
  DOUBLE: 0x01,
  STRING: 0x02,
  DOCUMENT: 0x03,
  ARRAY: 0x04,
  BINARY: 0x05,
  OBJECT_ID: 0x07,
  INT32: 0x10,
  INT64: 0x12,
} as const;

/**
 * Gets one element: its type, the start and end of its name, and the start of its value. The end of the name is the
 * zero after it. Positions count from the start of the view.
 */
type ElementVisitor = (type: number, nameStart: number, nameEnd: number, valueStart: number) => void;

/** Lengths in bytes of the types whose values all have the same length. */
const fixedLengths: Readonly<Record<number, number>> = {
  [BsonType.DOUBLE]: 8,
  0x06: 0,
  [BsonType.OBJECT_ID]: 12,
  0x08: 1,
  0x09: 8,
  0x0a: 0,
  [BsonType.INT32]: 4,
  0x11: 8,
  [BsonType.INT64]: 8,
  0x13: 16,
  0xff: 0,
  0x7f: 0,
};

/**
 * Visits the elements of one BSON document or array, without making objects of them. A batch reads a hundred features
 * per patient. Making objects of them would cost more than explaining the patient's risk.
 * @param start position of the document in the view: the first byte of its length
 * @throws Error for an element of a type that no document of ours has
 */
export function walkElements(view: DataView, start: number, visit: ElementVisitor): void {
  const end = start + view.getInt32(start, true) - 1;
  let at = start + 4;
  while (at < end) {
    const type = view.getUint8(at);
    const nameStart = at + 1;
    let nameEnd = nameStart;
    while (view.getUint8(nameEnd) !== 0) nameEnd += 1;
    visit(type, nameStart, nameEnd, nameEnd + 1);
    at = nameEnd + 1 + valueLength(view, type, nameEnd + 1);
  }
}

function valueLength(view: DataView, type: number, at: number): number {
  const fixed = fixedLengths[type];
  if (fixed !== undefined) return fixed;
  const stated = view.getInt32(at, true);
  switch (type) {
    case BsonType.DOCUMENT:
    case BsonType.ARRAY:
      return stated;
    case BsonType.STRING:
      return stated + 4;
    case BsonType.BINARY:
      return stated + 5;
    default:
      throw new Error(`a document holds an element of BSON type ${type}`);
  }
}

/** Reads a number of any of BSON's numeric types; NaN for a value of another type. */
export function numberAt(view: DataView, type: number, at: number): number {
  switch (type) {
    case BsonType.DOUBLE:
      return view.getFloat64(at, true);
    case BsonType.INT32:
      return view.getInt32(at, true);
    case BsonType.INT64:
      return Number(view.getBigInt64(at, true));
    default:
      return Number.NaN;
  }
}
