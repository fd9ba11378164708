import { StartupError } from '../errors.js';
import { readCohortCsv, type CohortIssue, type CohortReading, type CohortRow } from '../patients/cohort-csv.js';
import type { CohortFile } from './cohort-file.js';
import { decodeText } from './decode-text.js';

/** Number of issues that one message names. The rest are counted. */
const issuesShown = 10;

/**
 * Checks a whole cohort, line by line.
 * @returns the number of its patients
 * @throws StartupError naming line, column and reason of every issue, never a value
 */
export async function checkCohort(file: CohortFile, encoding: string, reading: CohortReading): Promise<number> {
  const issues: string[] = [];
  let found = 0;
  let patients = 0;
  const tell = ({ line, column, message }: CohortIssue): void => {
    found += 1;
    if (found <= issuesShown) issues.push(`line ${line}: ${column === undefined ? '' : `${column} `}${message}`);
  };
  const lineOfMrn = new Map<string, number>();
  await named(file, async () => {
    for await (const { line, row, issues: ofLine } of readCohortCsv(decodeText(file.read(), encoding), reading)) {
      ofLine.forEach(tell);
      if (!row) continue;
      patients += 1;
      const first = lineOfMrn.get(row.mrn);
      if (first === undefined) lineOfMrn.set(row.mrn, line);
      else tell({ line, message: `the same mrn as in line ${first}` });
    }
  });
  if (found > 0) {
    const more = found > issuesShown ? `; and ${found - issuesShown} more` : '';
    throw new StartupError(`${file.name}: ${issues.join('; ')}${more}. Nothing was sent.`);
  }
  if (patients === 0) throw new StartupError(`${file.name}: has no patients below its header. Nothing was sent.`);
  return patients;
}

/** Reads the rows of a cohort that was checked. */
export async function* cohortRows(
  file: CohortFile,
  encoding: string,
  reading: CohortReading,
): AsyncGenerator<CohortRow> {
  for await (const { row } of readCohortCsv(decodeText(file.read(), encoding), reading)) {
    if (!row) throw new StartupError(`${file.name}: was changed while it was read: score again.`);
    yield row;
  }
}

/** Puts the name of the file before a message about its content. */
async function named(file: CohortFile, read: () => Promise<void>): Promise<void> {
  try {
    await read();
  } catch (error) {
    throw error instanceof StartupError ? new StartupError(`${file.name}: ${error.message}. Nothing was sent.`) : error;
  }
}
