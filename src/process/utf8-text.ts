import { isUtf8 } from 'node:buffer';

/** Says where bytes are not the text that they should be. It never holds the text. */
export class InvalidTextError extends Error {
  override readonly name = 'InvalidTextError';
  /**
   * @param line number of the line, from 1
   * @param column number of the character in the line, from 1; undefined when the whole line is meant
   */
  constructor(
    readonly line: number,
    readonly column: number | undefined,
    message: string,
  ) {
    super(message);
  }
}

/** Longest line in bytes. A longer one is no line of a table. */
export const longestLine = 256 * 1024;

const lineEnd = 0x0a;

/**
 * Decodes UTF-8, some whole lines at a time. Each part but the last one ends with a line end. Not more than one line is
 * held.
 * @param longest bytes of the longest line
 * @throws InvalidTextError for bytes that are no UTF-8, and for a line that is too long
 */
export async function* decodeUtf8(bytes: AsyncIterable<Uint8Array>, longest = longestLine): AsyncGenerator<string> {
  let line = 1;
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  const decode = (part: Buffer): string => {
    if (!isUtf8(part)) throw invalidUtf8(part, line);
    line += countLineEnds(part);
    return part.toString('utf8');
  };
  for await (const chunk of bytes) {
    const end = chunk.lastIndexOf(lineEnd) + 1;
    if (end > 0) {
      yield decode(Buffer.concat([...held, chunk.subarray(0, end)]));
      held = [];
      heldBytes = 0;
    }
    held.push(chunk.subarray(end));
    heldBytes += chunk.length - end;
    if (heldBytes > longest) throw new InvalidTextError(line, undefined, `is longer than ${longest} bytes`);
  }
  if (heldBytes > 0) yield decode(Buffer.concat(held));
}

/** Finds the first byte that is no UTF-8. */
function invalidUtf8(part: Buffer, firstLine: number): InvalidTextError {
  // A binary search for the longest beginning that valid text can have. It may end within a character: the decoder
  // below then drops the bytes of that character, which is the one that is not valid.
  let [valid, invalid] = [0, part.length];
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1;
    if (isValidBeginning(part.subarray(0, middle))) valid = middle;
    else invalid = middle;
  }
  const before = new TextDecoder('utf-8', { ignoreBOM: true }).decode(part.subarray(0, valid), { stream: true });
  const column = [...before.slice(before.lastIndexOf('\n') + 1)].length + 1;
  return new InvalidTextError(firstLine + countLineEnds(part.subarray(0, valid)), column, 'is not valid UTF-8');
}

/** Tells whether bytes can be the beginning of valid UTF-8. */
function isValidBeginning(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

function countLineEnds(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(lineEnd); at >= 0; at = bytes.indexOf(lineEnd, at + 1)) count += 1;
  return count;
}
