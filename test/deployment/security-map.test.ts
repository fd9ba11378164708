import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

/** `[security/forged-token](../test/security/forged-token.test.ts) "name of a test", "name of another"` */
const reference = /\[([\w/-]+)\]\(\.\.\/(test\/[\w/-]+\.test\.ts)\)((?:,? "[^"]+")*)/g;

const text = readFileSync('docs/security.md', 'utf8');
const references = [...text.matchAll(reference)].map(([, label, file, names]) => ({
  label,
  file: file!,
  names: [...names!.matchAll(/"([^"]+)"/g)].map(([, name]) => name!),
}));
const rows = text.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('|---'));

/** Whether a source file gives the name to a test, in whichever quotes, on the line of the call or on the next. */
const hasTest = (source: string, name: string): boolean =>
  [`'${name.replaceAll("'", "\\'")}'`, `"${name}"`].some((title) =>
    [...source.matchAll(/\(\s*(?=['"])/g)].some(({ index, 0: call }) => source.startsWith(title, index + call.length)),
  );

describe.each([...new Map(references.map((found) => [found.file, found])).keys()])('%s', (file) => {
  test('exists, with every test that docs/security.md names', () => {
    expect(existsSync(file)).toBe(true);
    const source = readFileSync(file, 'utf8');
    const named = references.filter((found) => found.file === file).flatMap(({ names }) => names);
    expect(named.filter((name) => !hasTest(source, name))).toEqual([]);
  });
});

test('every reference is labelled by its file, and names a test', () => {
  expect(references.length).toBeGreaterThan(60);
  expect(text.match(/\]\(\.\.\/test\//g)).toHaveLength(references.length);
  expect(references.filter(({ label, file, names }) => file !== `test/${label}.test.ts` || names.length === 0)).toEqual(
    [],
  );
  // A name that is not read as one would not be checked.
  expect(text.match(/"/g)).toHaveLength(2 * references.flatMap(({ names }) => names).length);
});

test('every threat of test/security is in the map', () => {
  const threats = readdirSync('test/security')
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/security/${name}`);
  expect(threats.length).toBeGreaterThan(30);
  expect(threats.filter((threat) => !references.some(({ file }) => file === threat))).toEqual([]);
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
  for (const safeguard of safeguards)
    expect(
      rows.filter((row) => row.startsWith(`| ${safeguard} `)),
      safeguard,
    ).toHaveLength(1);
});

test('every row of the two maps names a test or says that there is none', () => {
  const mapped = text
    .slice(text.indexOf('## HIPAA'))
    .split('\n')
    .filter((line) => /^\| (?!safeguard|item)/.test(line));
  expect(mapped.length).toBeGreaterThan(35);
  expect(mapped.filter((row) => !row.includes('](../test/') && !row.endsWith('| no test |'))).toEqual([]);
});
