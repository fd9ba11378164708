/*
 * Cohorts as CSV: a header of `mrn` and feature codes, then one line per patient.
 *
 * How a cohort is read:
 * 1. The delimiter is found in the header: a comma, a semicolon or a tab.
 * 2. Each column of the header is matched with a feature, in upper or lower case.
 * 3. Each further line becomes a row, or a list of issues. Lines are read one after the other, and none is kept.
 */
import { parse, type Info } from 'csv-parse';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { csvIssue, numberInCell } from '../process/csv-cells.js';
import { longestLine } from '../process/utf8-text.js';
import { escapeInvisible, hasInvisible, identifierText } from '../process/visible-text.js';
import { featureValueIssue } from '../risk/feature-value.js';
import type { ModelFeature } from '../risk/manifest.js';

/** A patient of a cohort, with the values to record. A null value removes the stored one. */
export interface CohortRow {
  readonly mrn: string;
  readonly features: readonly { readonly code: string; readonly value: number | null }[];
}

/** An issue with one line. It never holds a value of the line. */
export interface CohortIssue {
  /** The number of the line, from 1. */
  readonly line: number;
  readonly message: string;
  /** The column, when the issue is with one. */
  readonly column?: string;
}

/** A line of a cohort: its row, or the issues with it. */
export interface CohortLine {
  readonly line: number;
  readonly row?: CohortRow;
  readonly issues: readonly CohortIssue[];
}

/** How a cohort is read. */
export interface CohortReading {
  /** The features that the header may name, by code. */
  readonly features: ReadonlyMap<string, ModelFeature>;
  /**
   * True: each required feature needs a column, and a value in each line.
   * @defaultValue false
   */
  readonly requireInputs?: boolean;
  /**
   * True: an empty cell removes the stored value.
   * @defaultValue false: an empty cell leaves the stored value as it is
   */
  readonly clearEmpty?: boolean;
  /**
   * True: any number passes, because another check of values follows.
   * @defaultValue false: a value outside the range of its feature is an issue
   */
  readonly anyValue?: boolean;
}

const delimiters = [',', ';', '\t'] as const;

/**
 * Reads a cohort line by line. After an issue with the header, no further line is given.
 * @param source UTF-8 text in parts of any size; a byte order mark is skipped
 * @throws what the source throws
 */
export async function* readCohortCsv(
  source: AsyncIterable<string | Uint8Array>,
  reading: CohortReading,
): AsyncGenerator<CohortLine> {
  const begun = await readHeaderText(source[Symbol.asyncIterator]());
  if (begun.tooLong) return yield lineIssue(1, tooLong);
  let lastLine = 0;
  const parser = parse({
    bom: true,
    info: true,
    delimiter: delimiterOf(begun.header),
    max_record_size: longestLine,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
    // Called for records that the error of a later one keeps from the loop below.
    on_record: (record: string[], { lines }: Pick<Info, 'lines'>) => {
      lastLine = lines;
      return record;
    },
  });
  let sourceError: unknown;
  const feeding = pipeline(Readable.from(remember(begun.parts, (error) => (sourceError = error))), parser);
  // The loop below gets the error.
  feeding.catch(() => undefined);
  let columns: readonly Column[] | undefined;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      if (columns) {
        yield readLine(info.lines, record, columns, reading);
        continue;
      }
      const header = readHeader(record, reading);
      if ('issues' in header) return yield { line: info.lines, issues: header.issues };
      columns = header.columns;
    }
  } catch (error) {
    if (sourceError !== undefined) throw sourceError;
    yield unreadable(error, lastLine + 1);
  } finally {
    parser.destroy();
  }
}

/** A column of the header: the MRN, or a feature. */
interface Column {
  readonly name: string;
  readonly feature?: ModelFeature;
}

const tooLong = `is longer than ${longestLine} bytes: check its quotes, and that the file is a CSV`;

const lineIssue = (line: number, message: string): CohortLine => ({ line, issues: [{ line, message }] });

/** @param line the line after the last one that could be read: an open quote takes all that follow */
function unreadable(error: unknown, line: number): CohortLine {
  const { code } = error as { code?: string };
  if (code === 'CSV_QUOTE_NOT_CLOSED') return lineIssue(line, 'has a quote that does not close');
  if (code === 'CSV_MAX_RECORD_SIZE') return lineIssue(line, tooLong);
  return lineIssue(line, csvIssue(error).replace(/^line \S+ /, ''));
}

interface HeaderText {
  /** The first line that is not empty, as far as it was read. */
  readonly header: string;
  readonly tooLong: boolean;
  /** All parts of the source, the first ones again. */
  readonly parts: AsyncIterable<string | Uint8Array>;
}

/** Reads a source up to the end of its first line. */
async function readHeaderText(source: AsyncIterator<string | Uint8Array>): Promise<HeaderText> {
  const read: (string | Uint8Array)[] = [];
  let header = '';
  while (!/[\r\n]/.test(header.trimStart()) && header.length <= longestLine) {
    const { done, value } = await source.next();
    if (done) break;
    read.push(value);
    // The bytes of the delimiters are never parts of other characters in UTF-8.
    header += typeof value === 'string' ? value : Buffer.from(value).toString('latin1');
  }
  async function* parts(): AsyncGenerator<string | Uint8Array> {
    try {
      yield* read.splice(0);
      for (let next = await source.next(); !next.done; next = await source.next()) yield next.value;
    } finally {
      await source.return?.();
    }
  }
  const [first = ''] = header.trimStart().split(/[\r\n]/, 1);
  return { header: first, tooLong: first.length > longestLine, parts: parts() };
}

/** The delimiter that occurs most often in the header, outside of quotes. */
function delimiterOf(header: string): string {
  const unquoted = header.replace(/"[^"]*"/g, '');
  const [first, ...others] = delimiters.map((delimiter) => ({ delimiter, count: unquoted.split(delimiter).length }));
  return others.reduce((most, next) => (next.count > most.count ? next : most), first!).delimiter;
}

async function* remember<T>(parts: AsyncIterable<T>, onError: (error: unknown) => void): AsyncGenerator<T> {
  try {
    yield* parts;
  } catch (error) {
    onError(error);
    throw error;
  }
}

function readHeader(
  record: readonly string[],
  { features, requireInputs }: CohortReading,
): { readonly columns: readonly Column[] } | { readonly issues: readonly CohortIssue[] } {
  const messages: string[] = [];
  const byName = new Map([...features].map(([code, feature]) => [code.toLowerCase(), feature]));
  const columns = record.map((name): Column => {
    const feature = features.get(name) ?? byName.get(name.toLowerCase());
    if (feature) return { name: feature.code, feature };
    return { name: name.toLowerCase() === 'mrn' ? 'mrn' : name };
  });
  const names = columns.map(({ name }) => name);
  if (!names.includes('mrn'))
    messages.push('the header needs a column mrn, and a comma, a semicolon or a tab between columns');
  const unknown = columns.filter(({ name, feature }) => name !== 'mrn' && !feature).map(({ name }) => name);
  if (unknown.length > 0)
    messages.push(`there is no feature ${listed(unknown, shownName)}: choose among ${listed([...features.keys()])}`);
  const repeated = [...spellingsByName(names, record)].filter(([, spellings]) => spellings.length > 1);
  for (const [name, spellings] of repeated.slice(0, mostListed))
    messages.push(`the column ${shownName(name)} appears ${spellings.length} times: ${listed(spellings, shownName)}`);
  const missing = requireInputs
    ? [...features.values()].filter(({ code, missing: { policy } }) => policy === 'REQUIRED' && !names.includes(code))
    : [];
  if (missing.length > 0)
    messages.push(`the model requires the column ${missing.map(({ code }) => code).join(', ')}, which is missing`);
  return messages.length > 0 ? { issues: messages.map((message) => ({ line: 1, message })) } : { columns };
}

/** The spellings of each column, in one pass: a line of commas can be a header of 100,000 columns. */
function spellingsByName(names: readonly string[], record: readonly string[]): Map<string, string[]> {
  const spellings = new Map<string, string[]>();
  names.forEach((name, index) => {
    const ofName = spellings.get(name);
    if (ofName) ofName.push(record[index]!);
    else spellings.set(name, [record[index]!]);
  });
  return spellings;
}

/** Most names that one message lists, and most messages about names. */
const mostListed = 50;

const listed = (names: readonly string[], show = (name: string): string => name): string =>
  `${names.slice(0, mostListed).map(show).join(', ')}${names.length > mostListed ? ' and others' : ''}`;

/** A name of a column as a message may show it: a header can be anything, also a line of patient data. */
export const shownName = (name: string): string => {
  const visible = escapeInvisible(name);
  return visible === '' ? '(empty)' : visible.length > 40 ? `${visible.slice(0, 40)}...` : visible;
};

function readLine(
  line: number,
  record: readonly string[],
  columns: readonly Column[],
  reading: CohortReading,
): CohortLine {
  if (record.length !== columns.length)
    return lineIssue(line, `has ${record.length} cells, and the header has ${columns.length}`);
  const issues: CohortIssue[] = [];
  const features: { code: string; value: number | null }[] = [];
  let mrn = '';
  columns.forEach(({ feature }, index) => {
    const cell = record[index]!;
    if (!feature) {
      mrn = identifierText(cell);
      const message = mrnIssue(cell, mrn);
      if (message) issues.push({ line, column: 'mrn', message });
      return;
    }
    const { value, issue } = readCell(feature, cell, reading);
    if (issue) issues.push({ line, column: feature.code, message: issue });
    else if (value !== undefined) features.push({ code: feature.code, value });
  });
  return issues.length > 0 ? { line, issues } : { line, row: { mrn, features }, issues };
}

/** Longest MRN. The API has the same limit. */
const longestMrn = 64;

function mrnIssue(cell: string, mrn: string): string | undefined {
  if (hasInvisible(cell)) return 'has characters that cannot be seen';
  if (mrn === '') return 'is empty';
  return mrn.length > longestMrn ? `has more than ${longestMrn} characters` : undefined;
}

/** @returns the value to record; undefined when the stored one stays */
function readCell(
  feature: ModelFeature,
  cell: string,
  { requireInputs, clearEmpty, anyValue }: CohortReading,
): { readonly value?: number | null; readonly issue?: string } {
  if (cell === '') {
    if (requireInputs && feature.missing.policy === 'REQUIRED')
      return { issue: 'is missing, and the model requires it' };
    return clearEmpty ? { value: null } : {};
  }
  const value = numberInCell(cell);
  if (value !== undefined) return { value, issue: anyValue ? undefined : featureValueIssue(feature, value) };
  return { issue: /^[+-]?\d+,\d+$/.test(cell) ? 'is not a number: write a point for the comma' : 'is not a number' };
}
