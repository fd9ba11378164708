import type { RiskModelManifest } from '../risk/manifest.js';
import { decodeUtf8 } from '../process/utf8-text.js';
import { readCohortCsv, shownName, type CohortIssue } from './cohort-csv.js';
import { readNdjson } from './cohort-ndjson.js';
import { createPatientSchema } from './patient-input.js';

/** The form in which a cohort is sent. */
export type CohortFormat = 'CSV' | 'NDJSON';

/** A line of a cohort: the patient, as `createPatient` takes it, or the issues with the line. */
export interface CohortInput {
  readonly line: number;
  /** Characters of the line, about. */
  readonly size: number;
  readonly patient?: unknown;
  readonly issues: readonly CohortIssue[];
}

/**
 * Reads the patients of a cohort line by line. Values are checked later, with all other checks of a patient.
 * @param manifests of the models whose features a CSV may name in its header
 * @param options.clearEmpty true: an empty cell of a CSV removes the stored value
 * @throws InvalidTextError for bytes that are no UTF-8, and for a line that is too long
 */
export async function* readCohort(
  bytes: AsyncIterable<Uint8Array>,
  manifests: readonly RiskModelManifest[],
  { format, clearEmpty }: { readonly format: CohortFormat; readonly clearEmpty?: boolean },
): AsyncGenerator<CohortInput> {
  if (format === 'NDJSON') {
    for await (const { line, size, value, issues } of readNdjson(bytes))
      yield { line, size, patient: value, issues: [...issues, ...unknownFields(line, value)] };
    return;
  }
  const features = new Map(
    manifests.flatMap((manifest) => manifest.features.map((feature) => [feature.code, feature] as const)),
  );
  // A row holds numbers, so that a line that is long holds many.
  for await (const { line, row, issues } of readCohortCsv(decodeUtf8(bytes), { features, clearEmpty, anyValue: true }))
    yield { line, size: 32 * (row?.features.length ?? issues.length), patient: row, issues };
}

/** The fields of an object that no patient has. A misspelt one must not be passed over. */
const unknownFields = (line: number, value: unknown): CohortIssue[] =>
  Object.keys(value ?? {})
    .filter((name) => !(name in createPatientSchema.shape))
    .map((name) => ({ line, message: `has a field ${shownName(name)}, which no patient has` }));
