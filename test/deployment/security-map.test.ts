import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readItems, readProofs, readThreats, withTables, type Proof } from '../../scripts/security-map.js';

const text = readFileSync('docs/security.md', 'utf8');
const [items, proofs, threats] = [readItems(), readProofs(), readThreats()];

/** Rows of one table of the document, without its head. */
const rowsOf = (name: string): string[] =>
  text
    .slice(text.indexOf(`<!-- ${name}: begin -->`), text.indexOf(`<!-- ${name}: end -->`))
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2);

test('the tables of docs/security.md are those that "npm run security:generate" writes', () => {
  expect(withTables(text, items, proofs, threats)).toBe(text);
});

test('every test that a table names exists', () => {
  expect(proofs.length).toBeGreaterThan(150);
  const named = [...rowsOf('safeguards'), ...rowsOf('owasp')].flatMap((row) =>
    [...row.matchAll(/\[([\w/-]+)\]\(\.\.\/(test\/[\w/-]+\.test\.ts)\)((?:,? "[^"]+")+)/g)].flatMap(
      ([, label, file, titles]) =>
        [...titles!.matchAll(/"([^"]+)"/g)].map(([, title]) => ({ label, file: file!, title: title! })),
    ),
  );
  expect(named.length).toBeGreaterThan(150);
  // The pattern reads no title that has a quotation mark in it.
  expect(text.match(/"/g)).toHaveLength(2 * named.length);
  for (const { label, file, title } of named) {
    expect(file).toBe(`test/${label}.test.ts`);
    expect(proofs.some((proof) => proof.file === file && proof.title === title.replaceAll('\\|', '|'))).toBe(true);
  }
});

test('every link to a file leads to one', () => {
  const files = [...text.matchAll(/\]\(\.\.\/(test\/[^)]+)\)/g)].map(([, file]) => file!);
  expect(files.length).toBeGreaterThan(100);
  expect(files.filter((file) => !existsSync(file))).toEqual([]);
});

test('every threat of test/security is in the map, with a test that shows an item', () => {
  const files = readdirSync('test/security').map((name) => `test/security/${name}`);
  expect(files.length).toBeGreaterThan(40);
  expect(threats.map(({ file }) => file)).toEqual(files.sort());
  expect(rowsOf('threats')).toHaveLength(files.length);
  const shown = proofs.map(({ file }) => file);
  expect(files.filter((file) => !shown.includes(file))).toEqual([]);
});

test.each(threats)('$file begins with product files that exist', ({ covers }) => {
  expect(covers.filter((file) => !existsSync(file) || !/^(src|schema|workers|models)\//.test(file))).toEqual([]);
});

test('every technical safeguard is in the map', () => {
  const safeguards = [
    '(a)(1)',
    '(a)(2)(i)',
    '(a)(2)(ii)',
    '(a)(2)(iii)',
    '(a)(2)(iv)',
    '(b)',
    '(c)(1)',
    '(c)(2)',
    '(d)',
    '(e)(1)',
    '(e)(2)(i)',
    '(e)(2)(ii)',
  ];
  expect(items.safeguards.map(({ key }) => key)).toEqual(safeguards.map((safeguard) => `164.312${safeguard}`));
  for (const safeguard of safeguards)
    expect(
      rowsOf('safeguards').filter((row) => row.startsWith(`| ${safeguard} `)),
      safeguard,
    ).toHaveLength(1);
});

test('every row of the two maps names a test, or says that no test exists', () => {
  const mapped = [...rowsOf('safeguards'), ...rowsOf('owasp')];
  expect(mapped).toHaveLength(items.safeguards.length + items.owasp.length);
  expect(mapped.length).toBeGreaterThan(35);
  expect(mapped.filter((row) => !row.includes('](../test/') && !row.endsWith('| no test |'))).toEqual([]);
  expect(mapped.filter((row) => row.endsWith('| no test |'))).toHaveLength(1);
});

describe('the generator refuses', () => {
  const refusal = (changed: readonly Proof[]) => () => withTables(text, items, changed, threats);

  test('a test that shows an item that the map lacks', () => {
    const stray: Proof = { file: 'test/stray.test.ts', title: 'stray', shows: ['owasp/no-such-item'] };
    expect(refusal([...proofs, stray])).toThrow(
      'test/stray.test.ts shows owasp/no-such-item, which docs/security-map.yaml lacks',
    );
  });

  test('an item that no test shows', () => {
    expect(refusal(proofs.filter(({ shows }) => !shows.includes('owasp/depth')))).toThrow(
      'owasp/depth must either be shown by a test or be marked as untested',
    );
  });
});
