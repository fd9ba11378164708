import { decodeUtf8 } from '../process/utf8-text.js';
import type { CohortIssue } from './cohort-csv.js';

/** A line of a cohort as NDJSON: what it holds, or the issue with it. */
interface NdjsonLine {
  readonly line: number;
  /** Characters of the line. */
  readonly size: number;
  readonly value?: unknown;
  readonly issues: readonly CohortIssue[];
}

/**
 * Reads lines of JSON one by one; none is kept. Empty lines are passed over.
 * @throws InvalidTextError for bytes that are no UTF-8, and for a line that is too long
 */
export async function* readNdjson(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<NdjsonLine> {
  let line = 0;
  for await (const text of decodeUtf8(bytes)) {
    for (const json of text.replace(/\n$/, '').split('\n')) {
      line += 1;
      const trimmed = line === 1 ? json.replace(/^\ufeff/, '').trim() : json.trim();
      if (trimmed === '') continue;
      const value = parsed(trimmed);
      const size = trimmed.length;
      if (value === undefined) yield { line, size, issues: [{ line, message: 'is not a JSON object' }] };
      else yield { line, size, value, issues: [] };
    }
  }
}

/** The object of a text; undefined for any other JSON, and for what is none. */
function parsed(json: string): object | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
