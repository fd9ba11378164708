import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { parse } from 'csv-parse';
import { csvIssue, numberInCell } from '../../process/csv-cells.js';
import { seededRandom } from '../check/random.js';
import { InvalidModelError, quoted } from '../errors.js';
import { type Cell, ColumnProfile } from './column-profile.js';

/** A column of a table that a feature takes its values from. */
export interface TableColumn {
  readonly name: string;
  /** True when the model takes the column's texts as they are. */
  readonly text: boolean;
}

/** Summaries of a training table's columns: those of the model's features, and its target. */
export interface TrainingTable {
  readonly rowCount: number;
  readonly columns: readonly TableColumn[];
  /** One per column. */
  readonly profiles: readonly ColumnProfile[];
  /** The target's values as texts; undefined when there is no target. */
  readonly target?: ColumnProfile;
  /** Rows that were taken at random, at most as many as asked for. */
  readonly sample: readonly (readonly Cell[])[];
}

interface TableRequest {
  readonly file: string;
  readonly target?: string;
  readonly sampleRows: number;
  /** Chooses the features' columns from the header. */
  choose(header: readonly string[]): readonly TableColumn[];
}

/** The texts by which pandas, R and databases say that a value is missing. */
const missingTexts = new Set(['', 'na', 'n/a', 'nan', 'null', 'none', '?', '<na>']);

const truthValues: Readonly<Record<string, number>> = { true: 1, false: 0 };

/** One line holds 10,000 features with room to spare. */
const longestLine = 4 * 1024 * 1024;

const seed = 20_261_129;

/**
 * Reads a training table as a stream. It keeps a profile of each column and a random sample of rows, so that its memory
 * does not grow with the file.
 * @throws InvalidModelError naming line, column and reason, never a value
 */
export async function readTrainingTable({ file, target, sampleRows, choose }: TableRequest): Promise<TrainingTable> {
  const name = quoted(basename(file));
  const refuse = (reason: string, remedy: string): never => {
    throw new InvalidModelError(name, reason, remedy);
  };
  const random = seededRandom(seed);
  const sample: Cell[][] = [];
  const targetProfile = target === undefined ? undefined : new ColumnProfile();
  let columns: readonly TableColumn[] = [];
  let places: number[] = [];
  let targetPlace = -1;
  let profiles: ColumnProfile[] = [];
  let rowCount = -1;
  const stream = createReadStream(file);
  const records = stream.pipe(
    parse({ bom: true, info: true, skip_empty_lines: true, trim: true, max_record_size: longestLine }),
  );
  stream.on('error', (error) => records.destroy(error));
  try {
    for await (const { record, info } of records as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      if (++rowCount === 0) {
        targetPlace = target === undefined ? -1 : record.indexOf(target);
        if (target !== undefined && targetPlace < 0)
          refuse(`it has no column ${quoted(target)}`, `name one of ${listed(record)} by --target`);
        columns = choose(record);
        places = columns.map((column) => record.indexOf(column.name));
        profiles = columns.map(() => new ColumnProfile());
        continue;
      }
      const row = columns.map((column, index): Cell => {
        const value = readCell(record[places[index]!]!, column.text);
        return value === undefined
          ? refuse(
              `line ${info.lines}: its column ${quoted(column.name)} holds a text, and the model takes a number`,
              'write the number that the model was trained with',
            )
          : value;
      });
      row.forEach((value, index) => profiles[index]!.add(value));
      targetProfile?.add(targetText(record[targetPlace]!));
      if (sample.length < sampleRows) sample.push(row);
      else {
        const place = Math.floor(random() * rowCount);
        if (place < sampleRows) sample[place] = row;
      }
    }
  } catch (error) {
    if (error instanceof InvalidModelError) throw error;
    refuse(csvIssue(error), 'give a CSV with a header and one line per patient, with commas between the cells');
  }
  if (rowCount < 1) refuse('it has no rows below its header', 'give the rows that the model was trained with');
  return { rowCount, columns, profiles, ...(targetProfile ? { target: targetProfile } : {}), sample };
}

/** Joins up to twenty names of columns for a message. */
export const listed = (names: readonly string[]): string =>
  `${names.slice(0, 20).map(quoted).join(', ')}${names.length > 20 ? `, ... (${names.length} in all)` : ''}`;

/** Reads a cell; null when missing, undefined when it is a text where a number is needed. */
function readCell(text: string, takesText: boolean): Cell | undefined {
  if (missingTexts.has(text.toLowerCase())) return null;
  return takesText ? text : (numberInCell(text) ?? truthValues[text.toLowerCase()]);
}

/** Returns a target's value as the model's labels are written: `1` for 1.0 and True. */
function targetText(text: string): Cell {
  const value = readCell(text, false);
  return value === undefined ? text : value === null ? null : String(value);
}
