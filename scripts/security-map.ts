import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { parse } from 'yaml';

/** One row of a table of docs/security.md, from docs/security-map.yaml. */
export interface Item {
  /** The name that tests use, e.g. `164.312(b)`. */
  readonly key: string;
  readonly item: string;
  readonly does: string;
  /** Only safeguards have one. */
  readonly setting?: string;
  /** True when the item has no test, on purpose. */
  readonly untested?: true;
}

/** The items of both tables, in their order. */
export interface Items {
  readonly safeguards: readonly Item[];
  readonly owasp: readonly Item[];
}

/** A test that shows an item. */
export interface Proof {
  /** Path of the test file, e.g. `test/security/forged-token.test.ts`. */
  readonly file: string;
  /** The titles of the groups around the test, then its own title, in the form of `vitest -t`. */
  readonly title: string;
  /** Keys of the items that the test shows. */
  readonly shows: readonly string[];
}

/** The head of a file of test/security. */
export interface Threat {
  readonly file: string;
  readonly threat: string;
  /** The product files that the tests of this file cover. */
  readonly covers: readonly string[];
}

const marker = '// Shows: ';
const coversLine = /^\/\*\* Covers ([^*]+)\. \*\/$/;

/** Reads the texts of the tables. */
export const readItems = (): Items => parse(readFileSync('docs/security-map.yaml', 'utf8')) as Items;

/** The names of all test files, in alphabetical order. */
const testFiles = (): string[] =>
  readdirSync('test', { encoding: 'utf8', recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join('test', name))
    .sort();

/**
 * Reads the head of each file of test/security: the product files in its first line, then the threat.
 * @throws Error when a file has no such head
 */
export function readThreats(): Threat[] {
  return testFiles()
    .filter((file) => file.startsWith('test/security/'))
    .map((file) => {
      const [first, ...rest] = readFileSync(file, 'utf8').split('\n');
      const covers = coversLine.exec(first!)?.[1];
      if (!covers) throw new Error(`${file} must begin with a line like /** Covers src/app.ts, src/api.ts. */`);
      const end = rest.findIndex((line) => !line.startsWith('// '));
      const head = rest.slice(0, end).map((line) => line.slice(3));
      const threat = /^Threat: (.+)$/.exec(head.join(' '))?.[1];
      if (!threat) throw new Error(`${file} must name its threat in its second line: // Threat: ...`);
      return { file, threat, covers: covers.split(', ') };
    });
}

/**
 * Reads every test below a line `// Shows: key, key`.
 * @throws Error when such a line is above something else than a test
 */
export const readProofs = (): Proof[] => testFiles().flatMap(proofsOf);

function proofsOf(file: string): Proof[] {
  const text = readFileSync(file, 'utf8');
  const marked = text.split(marker).length - 1;
  if (marked === 0) return [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const proofs: Proof[] = [];
  const visit = (node: ts.Node, groups: readonly string[]): void => {
    const call = ts.isExpressionStatement(node) ? titledCall(node.expression) : undefined;
    const shows = call?.kind === 'test' ? markedKeys(text, node) : [];
    if (call && shows.length > 0) proofs.push({ file, title: [...groups, call.title].join(' '), shows });
    const around = call?.kind === 'describe' ? [...groups, call.title] : groups;
    ts.forEachChild(node, (child) => visit(child, around));
  };
  visit(source, []);
  if (proofs.length !== marked) throw new Error(`${file} has a line "${marker.trim()}" that is not above a test`);
  return proofs;
}

/** Reads the kind and the title of a call of `test` or `describe`, with or without `.each(...)`. */
function titledCall(node: ts.Expression): { readonly kind: 'test' | 'describe'; readonly title: string } | undefined {
  if (!ts.isCallExpression(node)) return undefined;
  const [title] = node.arguments;
  const kind = /^(test|describe)\b/.exec(node.expression.getText())?.[1] as 'test' | 'describe' | undefined;
  return kind && title && ts.isStringLiteralLike(title) ? { kind, title: title.text } : undefined;
}

function markedKeys(text: string, node: ts.Node): string[] {
  return (ts.getLeadingCommentRanges(text, node.getFullStart()) ?? [])
    .map(({ pos, end }) => text.slice(pos, end))
    .filter((comment) => comment.startsWith(marker))
    .flatMap((comment) => comment.slice(marker.length).split(', '));
}

/**
 * Writes the three tables into the document, each between its two markers.
 * @throws Error when a test shows an item that does not exist, or no test shows an item
 */
export function withTables(
  document: string,
  items: Items,
  proofs: readonly Proof[],
  threats: readonly Threat[],
): string {
  checkItems([...items.safeguards, ...items.owasp], proofs);
  const tables: Readonly<Record<string, string>> = {
    safeguards: table(
      ['safeguard', 'what RiskGraph does', 'setting', 'shown by'],
      items.safeguards.map((item) => [item.item, item.does, item.setting!, shownBy(item, proofs)]),
    ),
    owasp: table(
      ['item', 'what RiskGraph does', 'shown by'],
      items.owasp.map((item) => [item.item, item.does, shownBy(item, proofs)]),
    ),
    threats: table(
      ['test', 'threat', 'files that it covers'],
      threats.map(({ file, threat, covers }) => [link(file), threat, covers.map((name) => `\`${name}\``).join(', ')]),
    ),
  };
  return Object.entries(tables).reduce((text, [name, rows]) => between(text, name, rows), document);
}

function checkItems(items: readonly Item[], proofs: readonly Proof[]): void {
  const keys = items.map(({ key }) => key);
  const unknown = proofs.flatMap(({ file, shows }) =>
    shows.filter((key) => !keys.includes(key)).map((key) => `${file} shows ${key}, which docs/security-map.yaml lacks`),
  );
  const shown = new Set(proofs.flatMap(({ shows }) => shows));
  const wrong = items
    .filter(({ key, untested }) => shown.has(key) === (untested === true))
    .map(({ key }) => `${key} must either be shown by a test or be marked as untested`);
  const problems = [...unknown, ...wrong];
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** Writes a link to a test file: `[security/forged-token](../test/security/forged-token.test.ts)`. */
const link = (file: string): string => `[${file.slice('test/'.length, -'.test.ts'.length)}](../${file})`;

function shownBy({ key }: Item, proofs: readonly Proof[]): string {
  const titles = new Map<string, string[]>();
  for (const { file, title, shows } of proofs)
    if (shows.includes(key)) titles.set(file, [...(titles.get(file) ?? []), `"${title.replaceAll('|', '\\|')}"`]);
  const files = [...titles].map(([file, quoted]) => `${link(file)} ${quoted.join(', ')}`);
  return files.length > 0 ? files.join('; ') : 'no test';
}

function between(text: string, name: string, rows: string): string {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the document has no place for the table ${name}`);
  return `${text.slice(0, from + begin.length)}\n\n${rows}\n\n${text.slice(to)}`;
}
