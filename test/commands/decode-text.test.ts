import { describe, expect, test } from 'vitest';
import { decodeText, requireEncoding } from '../../src/commands/decode-text.js';

/** Decodes bytes that arrive in parts. */
async function decode(bytes: Buffer, encoding?: string, partBytes = 3): Promise<string> {
  async function* parts(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += partBytes) yield bytes.subarray(at, at + partBytes);
  }
  let text = '';
  for await (const part of decodeText(parts(), encoding)) text += part;
  return text;
}

describe('the text of a file', () => {
  test.each(['utf-8', 'UTF8'])('is read as %s, with characters cut by the parts', async (encoding) => {
    const text = 'mrn,age\nLätin,1\nLötin,2\n東京 😀,3';
    for (const partBytes of [1, 2, 3, 5, 100]) expect(await decode(Buffer.from(text), encoding, partBytes)).toBe(text);
  });

  test.each([
    ['in the middle', 'mrn,age\nA-1,1\nL\u00e4tin,2\n', 'line 3, column 2'],
    ['at the end', 'mrn\nL\u00e4', 'line 2, column 2'],
    ['at the start', '\u00e4', 'line 1, column 1'],
    ['after wider characters', 'mrn\n', 'line 2, column 4'],
  ])('that is Latin-1 is refused as UTF-8, with line and column: %s', async (_name, text, place) => {
    const bytes =
      text === 'mrn\n'
        ? Buffer.concat([Buffer.from('mrn\n東京é'), Buffer.from([0xe4, 0x0a])])
        : Buffer.from(text, 'latin1');
    for (const partBytes of [1, 4, 1000])
      await expect(decode(bytes, undefined, partBytes)).rejects.toThrow(`${place}: is not valid UTF-8`);
  });

  test('keeps two people apart whose names differ by a letter of Latin-1', async () => {
    const bytes = Buffer.from('L\u00e4tin\nL\u00f6tin\n', 'latin1');
    expect(await decode(bytes, 'windows-1252')).toBe('Lätin\nLötin\n');
    expect(await decode(bytes, 'iso-8859-1')).toBe('Lätin\nLötin\n');
  });

  test('is read in other encodings', async () => {
    expect(await decode(Buffer.from([0x80, 0x0a]), 'windows-1252')).toBe('€\n');
    expect(await decode(Buffer.from('\ufeffmrn\nä\n', 'utf16le'), 'utf-16le')).toBe('mrn\nä\n');
    expect(await decode(Buffer.from([0x93, 0x8c, 0x8b, 0x9e]), 'shift_jis')).toBe('東京');
  });

  test('is refused where a byte has no meaning in the named encoding', async () => {
    await expect(decode(Buffer.from('mrn\nA-\u0081\n', 'latin1'), 'windows-1252')).rejects.toThrow(
      'line 2, column 3: is not valid windows-1252',
    );
  });

  test('in UTF-16 is named', async () => {
    await expect(decode(Buffer.from('\ufeffmrn\n', 'utf16le'))).rejects.toThrow('add --encoding utf-16le');
  });

  test('without line ends is refused', async () => {
    await expect(decode(Buffer.alloc(2 * 1024 * 1024, 'a'), undefined, 65_536)).rejects.toThrow('line 1: is longer');
  });
});

test('an unknown encoding is refused with those in use', () => {
  expect(() => requireEncoding('klingon')).toThrow(/no encoding "klingon": choose one of utf-8, .*windows-1252/);
  expect(() => requireEncoding('base64')).toThrow('no encoding "base64"');
  expect(requireEncoding('windows-1252')).toBe('windows-1252');
});
