import type { Operation } from './operations.js';
import { hasTexts, KeptText } from './prepared/kept-text.js';

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
  const { data } = answer as { readonly data?: object | null };
  const write = writerOf(data);
  if (operation.cost < smallCost) return `${write(answer)}\n`;
  const chunks: Buffer[] = [];
  const text = await writeInTurn(pieces(answer, write), operation, (written) => {
    if (written.length < chunkCharacters) return written;
    chunks.push(Buffer.from(written));
    return '';
  });
  return chunks.length === 0 ? `${text}\n` : [...chunks, Buffer.from(`${text}\n`)];
}

/**
 * Writes the data of an event piece by piece, as `writeAnswer` does. An event is shorter than an answer.
 * @returns undefined for a small one, which may be written in one step
 * @throws as `writeAnswer`
 */
export async function eventText(data: object, operation: Operation): Promise<string | undefined> {
  const write = writerOf(data);
  if (operation.cost < smallCost) return write === JSON.stringify ? undefined : write(data);
  return writeInTurn(pieces(data, write), operation, (written) => written);
}

/** Writes a value in one step. */
type Write = (value: unknown) => string;

/** The way to write what belongs to the data of an answer. */
const writerOf = (data: object | null | undefined): Write => (data && hasTexts(data) ? textOf : JSON.stringify);

/**
 * Writes the pieces of a value, and gives way to others between them.
 * @param take gets the text so far after each piece. @returns the rest, which goes on
 */
async function writeInTurn(
  pieces: Iterable<string>,
  operation: Operation,
  take: (written: string) => string,
): Promise<string> {
  let text = '';
  for (const piece of pieces) {
    operation.wrote(Buffer.byteLength(piece));
    text = take(text + piece);
    const turn = operation.turn();
    if (turn) await turn;
  }
  return text;
}

/** Objects and lists of the largest piece: it is written in some microseconds. */
const largestPiece = 40;

/** The JSON of an object or list in pieces. Each inner value is a piece, unless it has many objects and lists in it. */
function* pieces(value: object, write: Write): Generator<string, void> {
  const isList = Array.isArray(value);
  let prefix = isList ? '[' : '{';
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    const start = isList ? prefix : `${prefix}${JSON.stringify(key)}:`;
    if (isContainer(inner) && !isSmall(inner)) {
      yield start;
      yield* pieces(inner, write);
    } else yield start + write(inner);
    prefix = ',';
  }
  yield isList ? ']' : '}';
}

/** Writes a value as `JSON.stringify` does, but takes the texts that were kept as they are. */
function textOf(value: unknown): string {
  if (value instanceof KeptText) return value.text;
  if (!isContainer(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((inner) => textOf(inner ?? null)).join(',')}]`;
  let text = '';
  for (const [key, inner] of Object.entries(value))
    if (inner !== undefined) text += `${text && ','}${JSON.stringify(key)}:${textOf(inner)}`;
  return `{${text}}`;
}

/** Lists, and the objects of graphql-js, which have no prototype. Dates and values of other classes write themselves. */
function isContainer(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** Tells whether a value has at most `largestPiece` objects and lists in it, and is no longer than that many values. */
function isSmall(value: object): boolean {
  let left = largestPiece;
  function fits(container: object): boolean {
    const values = Array.isArray(container) ? (container as unknown[]) : Object.values(container);
    if (values.length > 16 * largestPiece || (left -= 1) < 0) return false;
    for (const inner of values) if (isContainer(inner) && !fits(inner)) return false;
    return true;
  }
  return fits(value);
}
