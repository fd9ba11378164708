import { createHash } from 'node:crypto';
import { parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { createRecentDocuments } from '../../src/http/admitted-documents.js';

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
/** Documents of ten characters each. */
const texts = ['a', 'b', 'c', 'd', 'e'].map((name) => `{ ${name.repeat(6)} }`);

describe('recent documents', () => {
  test('are found by their text and by its hash', () => {
    const documents = createRecentDocuments(40);
    const [text] = texts as [string];
    const document = parse(text);
    documents.add(text, document);
    documents.add(text, parse(text));
    expect(documents.byText(text)).toBe(document);
    expect(documents.byHash(hash(text))).toBe(document);
    expect(documents.byHash(hash(texts[1]!))).toBeUndefined();
  });

  test('make room for later ones: the least recently used one is removed, under text and hash', () => {
    const documents = createRecentDocuments(40);
    for (const text of texts.slice(0, 4)) documents.add(text, parse(text));
    documents.byText(texts[0]!);
    documents.add(texts[4]!, parse(texts[4]!));
    const kept = [texts[0], texts[2], texts[3], texts[4]];
    expect(texts.filter((text) => documents.byText(text))).toEqual(kept);
    expect(texts.filter((text) => documents.byHash(hash(text)))).toEqual(kept);
  });

  test('do not include one that would fill more than a quarter of the room', () => {
    const documents = createRecentDocuments(40);
    const text = '{ aaaaaaa }';
    documents.add(text, parse(text));
    expect(documents.byText(text)).toBeUndefined();
    expect(documents.byHash(hash(text))).toBeUndefined();
  });
});
