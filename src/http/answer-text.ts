import type { Operation } from './operations.js';

/** Operations that cost less are written in one step, in well under a millisecond. */
const smallCost = 1_000;

/**
 * Writes an answer as JSON. A large one is written piece by piece: it gives way to other operations in between, and ends
 * as soon as it is longer than an answer may be.
 * @throws the error with which the operation was broken off
 */
export async function answerText(answer: object, operation: Operation): Promise<string> {
  if (operation.cost < smallCost) return `${JSON.stringify(answer)}\n`;
  const written: string[] = [];
  await eachPiece(answer, operation, (piece) => written.push(piece));
  return `${written.join('')}\n`;
}

/** Checks the length of an answer that another writer is to write. @throws as `answerText` */
export async function checkLength(answer: object, operation: Operation): Promise<void> {
  if (operation.cost >= smallCost) await eachPiece(answer, operation, () => undefined);
}

async function eachPiece(answer: object, operation: Operation, take: (piece: string) => void): Promise<void> {
  for (const piece of pieces(answer)) {
    operation.wrote(Buffer.byteLength(piece));
    take(piece);
    const turn = operation.turn();
    if (turn) await turn;
  }
}

/** The JSON of a value in pieces, each of which is the whole of an object or list that contains no other. */
function* pieces(value: unknown): Generator<string, void> {
  if (!isContainer(value) || !holdsContainer(value)) return yield JSON.stringify(value);
  const isList = Array.isArray(value);
  let prefix = isList ? '[' : '{';
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    const start = isList ? prefix : `${prefix}${JSON.stringify(key)}:`;
    if (isContainer(inner)) {
      yield start;
      yield* pieces(inner);
    } else yield start + JSON.stringify(inner);
    prefix = ',';
  }
  yield isList ? ']' : '}';
}

/** Lists, and the objects of graphql-js, which have no prototype. Dates and values of other classes write themselves. */
function isContainer(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function holdsContainer(value: object): boolean {
  for (const inner of Array.isArray(value) ? (value as unknown[]) : Object.values(value))
    if (isContainer(inner)) return true;
  return false;
}
