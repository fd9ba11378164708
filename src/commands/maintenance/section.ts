import Table from 'cli-table3';

/** One part of the report: a table and remarks about it. */
export interface Section {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  /** Sentences below the table: sums, and reasons for a figure that is missing. */
  readonly remarks: readonly string[];
}

/** Writes a section as a person reads it. */
export function sectionText({ title, columns, rows, remarks }: Section): string {
  const table = new Table({ head: [...columns], style: { head: [], border: [] } });
  for (const row of rows) table.push(row.map(String));
  return [title, ...(rows.length > 0 ? [table.toString()] : []), ...remarks].join('\n');
}

/** A number of bytes as MiB, with one decimal. */
export const mebibytes = (bytes: number): string => (bytes / 1024 ** 2).toFixed(1);

/** A part of a whole as a percentage; empty when there is no whole. */
export const percent = (part: number, whole: number): string =>
  whole === 0 ? '' : `${((100 * part) / whole).toFixed(2)} %`;
