import { StartupError } from '../errors.js';

/** Reads a cell as a number; undefined when it is none. */
export function numberInCell(text: string): number | undefined {
  // Number() also accepts texts that no person means as a number, such as '0x10' and 'Infinity'.
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

/** Describes an error of csv-parse by its line and code. Its message may quote cells, so it is not shown. */
export function csvIssue(error: unknown): string {
  if (error instanceof StartupError) return error.message;
  const { code, lines, syscall } = error as { code?: string; lines?: number; syscall?: string };
  if (syscall) return `cannot be read (${code}): check the name and your rights`;
  if (code === 'CSV_RECORD_INCONSISTENT_COLUMNS' || code === 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH')
    return `line ${lines}: does not have as many cells as the header`;
  return `line ${lines ?? '?'}: is not valid CSV (${code ?? 'unknown issue'})`;
}
