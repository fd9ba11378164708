import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import { StartupError } from '../errors.js';
import { featureValueIssue } from '../risk/feature-value.js';
import { csvIssue, numberInCell } from '../process/csv-cells.js';
import { hasInvisible, identifierText } from '../process/visible-text.js';
import type { ModelFeature } from '../risk/manifest.js';

/** One line of a cohort: the patient's MRN, and for every feature column a value, or null when it is missing. */
export interface CohortRow {
  readonly mrn: string;
  readonly features: readonly { readonly code: string; readonly value: number | null }[];
}

/** Number of issues that one message names. The rest are counted. */
const issuesShown = 10;

/**
 * Reads a cohort: a header of `mrn` and feature codes, then one line per patient. An empty cell is a missing value.
 * Rows are returned only when the whole file is valid.
 * @throws StartupError naming line, column and reason of every issue, never a value
 */
export async function readCohort(file: string, features: readonly ModelFeature[]): Promise<CohortRow[]> {
  const issues: string[] = [];
  const rows: CohortRow[] = [];
  const lineOfMrn = new Map<string, number>();
  const definitions = new Map(features.map((feature) => [feature.code, feature]));
  const records = createReadStream(file).pipe(
    parse({
      bom: true,
      columns: (header: string[]) =>
        checkedHeader(
          header.map((name) => name.trim()),
          definitions,
        ),
      info: true,
      skip_empty_lines: true,
      trim: true,
    }),
  );
  try {
    for await (const { record, info } of records as AsyncIterable<{
      record: Record<string, string>;
      info: { lines: number };
    }>) {
      const { mrn: typed = '', ...cells } = record;
      const mrn = identifierText(typed);
      const at = `line ${info.lines}`;
      if (hasInvisible(typed)) issues.push(`${at}: mrn has characters that cannot be seen`);
      else if (mrn === '') issues.push(`${at}: mrn is empty`);
      else if (lineOfMrn.has(mrn)) issues.push(`${at}: the same mrn as in line ${lineOfMrn.get(mrn)}`);
      lineOfMrn.set(mrn, info.lines);
      rows.push({
        mrn,
        features: Object.entries(cells).map(([code, text]) => {
          const { value, issue } = parseCell(definitions.get(code)!, text);
          if (issue) issues.push(`${at}: ${code} ${issue}`);
          return { code, value };
        }),
      });
    }
  } catch (error) {
    throw new StartupError(`${file}: ${csvIssue(error)}`);
  }
  if (issues.length > 0) {
    const more = issues.length > issuesShown ? `; and ${issues.length - issuesShown} more` : '';
    throw new StartupError(`${file}: ${issues.slice(0, issuesShown).join('; ')}${more}. Nothing was sent.`);
  }
  if (rows.length === 0) throw new StartupError(`${file}: has no patients below its header.`);
  return rows;
}

function checkedHeader(header: string[], definitions: ReadonlyMap<string, ModelFeature>): string[] {
  if (!header.includes('mrn')) throw new StartupError('line 1: the header needs a column mrn');
  const unknown = header.filter((name) => name !== 'mrn' && !definitions.has(name));
  if (unknown.length > 0)
    throw new StartupError(
      `line 1: the model has no feature ${unknown.join(', ')}; it has ${[...definitions.keys()].join(', ')}`,
    );
  const repeated = header.find((name, index) => header.indexOf(name) !== index);
  if (repeated) throw new StartupError(`line 1: the column ${repeated} appears twice`);
  return header;
}

function parseCell(feature: ModelFeature, text: string): { value: number | null; issue?: string } {
  if (text === '')
    return {
      value: null,
      issue: feature.missing.policy === 'REQUIRED' ? 'is missing, and the model requires it' : undefined,
    };
  const value = numberInCell(text);
  if (value === undefined) return { value: null, issue: 'is not a number' };
  return { value, issue: featureValueIssue(feature, value) };
}
