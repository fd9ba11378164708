import type { ResultLine } from './result-lines.js';

/** The columns that every file has. Those of the features follow. */
const fixed = [
  'row',
  'patient_id',
  'prediction_id',
  'created_at',
  'value',
  'unit',
  'probability',
  'risk_band',
] as const;

/** The first line of a file, with its end. */
export function csvHead(codes: readonly string[], withMrn: boolean): string {
  return line([
    ...fixed,
    ...(withMrn ? ['mrn'] : []),
    'raw_output',
    'base_value',
    ...codes.map((code) => `input_${code}`),
    ...codes.map((code) => `contribution_${code}`),
    'failure_code',
    'failure_message',
  ]);
}

/** One result as a line with its end. */
export function csvLine(result: ResultLine, codes: readonly string[], withMrn: boolean): string {
  const { row, patientId, mrn, prediction, failure } = result;
  return line([
    row,
    patientId,
    prediction?.id,
    prediction?.createdAt,
    prediction?.value,
    prediction?.unit,
    prediction?.probability,
    prediction?.riskBand,
    ...(withMrn ? [mrn] : []),
    prediction?.rawOutput,
    prediction?.explanation?.baseValue,
    ...codes.map((code) => prediction?.inputs[code]),
    ...codes.map((code) => prediction?.explanation?.contributions[code]),
    failure?.code,
    failure?.message,
  ]);
}

const line = (cells: readonly (string | number | null | undefined)[]): string => `${cells.map(cell).join(',')}\r\n`;

/**
 * Writes a cell (RFC 4180). A text that a spreadsheet would take for a formula gets an apostrophe before it
 * (https://owasp.org/www-community/attacks/CSV_Injection). Numbers stay numbers.
 */
function cell(value: string | number | null | undefined): string {
  if (value == null) return '';
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
