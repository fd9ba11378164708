import iconv from 'iconv-lite';
import { StartupError } from '../errors.js';
import { decodeUtf8, InvalidTextError } from '../process/utf8-text.js';

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

/** The sign that decoders put in place of bytes that are not valid. */
const replacement = '\ufffd';

/** @throws StartupError naming the encodings in use, for a name that is none */
export function requireEncoding(name: string): string {
  if (iconv.encodingExists(name) && !/^(base64|hex|binary|utf-?7)/i.test(name)) return name;
  throw new StartupError(`--encoding: there is no encoding "${name}": choose one of ${commonEncodings.join(', ')}.`);
}

/**
 * Decodes the bytes of a file, part by part.
 * @param encoding as `requireEncoding` gives it
 * @throws StartupError with line and column of bytes that are not valid in the encoding
 */
export async function* decodeText(bytes: AsyncIterable<Uint8Array>, encoding = 'utf-8'): AsyncGenerator<string> {
  const isUtf8 = /^utf-?8$/i.test(encoding);
  try {
    yield* isUtf8 ? decodeUtf8(refuseUtf16(bytes)) : decodeOther(bytes, encoding);
  } catch (error) {
    if (!(error instanceof InvalidTextError)) throw error;
    const { line, column, message } = error;
    throw new StartupError(
      column === undefined
        ? `line ${line}: ${message}`
        : `line ${line}, column ${column}: ${message}: save the file as UTF-8, or name its encoding with --encoding, ` +
            'e.g. windows-1252',
    );
  }
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
    if (invalid >= 0) throw new InvalidTextError(line, column, `is not valid ${encoding}`);
    return text;
  };
  for await (const chunk of bytes) yield checked(decoder.write(Buffer.from(chunk)));
  yield checked(decoder.end() ?? '');
}

/** Passes bytes on. A byte order mark of UTF-16 is named: its text would be no UTF-8. */
async function* refuseUtf16(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let start = Buffer.alloc(0);
  for await (const chunk of bytes) {
    if (start.length < 2) {
      start = Buffer.concat([start, chunk.subarray(0, 2)]).subarray(0, 2);
      const mark = start.toString('hex');
      const encoding = mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : undefined;
      if (encoding) throw new StartupError(`the file is in ${encoding.toUpperCase()}: add --encoding ${encoding}`);
    }
    yield chunk;
  }
}
