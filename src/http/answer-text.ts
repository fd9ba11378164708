import type { Operation } from './operations.js';

/** Operations that cost less are written in one step, in well under a millisecond. */
const smallCost = 1_000;

/** Bytes of a chunk, about: few enough that encoding and sending one holds up no other caller. */
const chunkCharacters = 64 * 1024;

/**
 * Writes an answer as JSON. A large one is written piece by piece: it gives way to other operations in between, and ends
 * as soon as it is longer than an answer may be. It never becomes one text, because joining, measuring and encoding a
 * text of 16 MiB would each hold up all others.
 * @returns the text of a short answer, the chunks of a long one
 * @throws the error with which the operation was broken off
 */
export async function writeAnswer(answer: object, operation: Operation): Promise<string | readonly Buffer[]> {
  if (operation.cost < smallCost) return `${JSON.stringify(answer)}\n`;
  const chunks: Buffer[] = [];
  let text = '';
  for await (const piece of piecesInTurn(answer, operation)) {
    text += piece;
    if (text.length < chunkCharacters) continue;
    chunks.push(Buffer.from(text));
    text = '';
  }
  text += '\n';
  return chunks.length === 0 ? text : [...chunks, Buffer.from(text)];
}

/**
 * Writes the data of an event piece by piece, as `writeAnswer` does. An event is shorter than an answer.
 * @returns undefined for a small one, which may be written in one step
 * @throws as `writeAnswer`
 */
export async function eventText(data: object, operation: Operation): Promise<string | undefined> {
  if (operation.cost < smallCost) return undefined;
  let text = '';
  for await (const piece of piecesInTurn(data, operation)) text += piece;
  return text;
}

async function* piecesInTurn(answer: object, operation: Operation): AsyncGenerator<string, void> {
  for (const piece of pieces(answer)) {
    operation.wrote(Buffer.byteLength(piece));
    yield piece;
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
