/*
 * Text files of any encoding, as a stream of whole lines.
 *
 * 1. Bytes are cut at their last line end, so that each part is decoded whole.
 * 2. A part that is not valid in the encoding is refused, with the line and the column.
 */
import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import { StartupError } from '../errors.js';

/** Encodings of files that are in use, for messages. Others that iconv-lite knows work too. */
export const commonEncodings = [
  'utf-8',
  'utf-16le',
  'utf-16be',
  'windows-1250',
  'windows-1251',
  'windows-1252',
  'iso-8859-1',
  'iso-8859-2',
  'iso-8859-15',
  'macintosh',
  'shift_jis',
  'gb18030',
  'big5',
  'euc-kr',
] as const;

/** Longest line in bytes. A file without line ends is no table. */
const longestLine = 1024 * 1024;

const lineEnd = 0x0a;
/** The sign that decoders put in place of bytes that are not valid. */
const replacement = '\ufffd';

/** @throws StartupError naming the encodings in use, for a name that is none */
export function requireEncoding(name: string): string {
  if (iconv.encodingExists(name) && !/^(base64|hex|binary|utf-?7)/i.test(name)) return name;
  throw new StartupError(`--encoding: there is no encoding "${name}": choose one of ${commonEncodings.join(', ')}.`);
}

/**
 * Decodes the bytes of a file, some whole lines at a time.
 * @param encoding as `requireEncoding` gives it
 * @throws StartupError with line and column of bytes that are not valid in the encoding
 */
export async function* decodeText(bytes: AsyncIterable<Uint8Array>, encoding = 'utf-8'): AsyncGenerator<string> {
  yield* /^utf-?8$/i.test(encoding) ? decodeUtf8(bytes) : decodeOther(bytes, encoding);
}

async function* decodeUtf8(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let line = 1;
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let isFirst = true;
  const text = (part: Buffer): string => {
    if (isFirst) refuseUtf16(part);
    isFirst = false;
    if (!isUtf8(part)) throw invalidUtf8(part, line);
    const decoded = part.toString('utf8');
    line += countLineEnds(part);
    return decoded;
  };
  for await (const chunk of bytes) {
    const end = chunk.lastIndexOf(lineEnd) + 1;
    if (end > 0) {
      yield text(Buffer.concat([...held, chunk.subarray(0, end)]));
      held = [];
      heldBytes = 0;
    }
    held.push(chunk.subarray(end));
    heldBytes += chunk.length - end;
    if (heldBytes > longestLine) throw new StartupError(`line ${line}: is longer than ${longestLine} bytes`);
  }
  if (heldBytes > 0) yield text(Buffer.concat(held));
}

async function* decodeOther(bytes: AsyncIterable<Uint8Array>, encoding: string): AsyncGenerator<string> {
  const decoder = iconv.getDecoder(encoding);
  let [line, column] = [1, 1];
  const checked = (text: string): string => {
    const invalid = text.indexOf(replacement);
    const before = invalid < 0 ? text : text.slice(0, invalid);
    const lastEnd = before.lastIndexOf('\n');
    line += before.split('\n').length - 1;
    column = (lastEnd < 0 ? column : 1) + [...before.slice(lastEnd + 1)].length;
    if (invalid >= 0) throw notInEncoding(line, column, encoding);
    return text;
  };
  for await (const chunk of bytes) yield checked(decoder.write(Buffer.from(chunk)));
  yield checked(decoder.end() ?? '');
}

/** Finds the first byte that is no UTF-8. */
function invalidUtf8(part: Buffer, firstLine: number): StartupError {
  // A binary search for the longest beginning that valid text can have. It may end within a character: the decoder
  // below then drops the bytes of that character, which is the one that is not valid.
  let [valid, invalid] = [0, part.length];
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1;
    if (isValidBeginning(part.subarray(0, middle))) valid = middle;
    else invalid = middle;
  }
  const before = new TextDecoder('utf-8', { ignoreBOM: true }).decode(part.subarray(0, valid), { stream: true });
  const lastEnd = before.lastIndexOf('\n');
  return notInEncoding(
    firstLine + countLineEnds(part.subarray(0, valid)),
    [...before.slice(lastEnd + 1)].length + 1,
    'UTF-8',
  );
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

const notInEncoding = (line: number, column: number, encoding: string): StartupError =>
  new StartupError(
    `line ${line}, column ${column}: is not valid ${encoding}: save the file as UTF-8, or name its encoding with ` +
      '--encoding, e.g. windows-1252',
  );

function refuseUtf16(start: Buffer): void {
  const mark = start.subarray(0, 2).toString('hex');
  const encoding = mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : undefined;
  if (encoding) throw new StartupError(`the file is in ${encoding.toUpperCase()}: add --encoding ${encoding}`);
}

function countLineEnds(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(lineEnd); at >= 0; at = bytes.indexOf(lineEnd, at + 1)) count += 1;
  return count;
}
