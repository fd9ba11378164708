/** Columns of the worklist that show who a patient is. They need `patient:read-identity`. */
const identityColumns = ['name', 'mrn', 'birthDate', 'careTeam'] as const;
/** Columns with the latest result of the chosen model. They need `prediction:read`. */
const resultColumns = ['risk', 'scored', 'version'] as const;

export type PlainColumn =
  (typeof identityColumns)[number] | (typeof resultColumns)[number] | 'age' | 'sex' | 'changed' | 'created';
/** A column by its name. A feature of the model is `feature:` and its code. */
export type Column = PlainColumn | `feature:${string}`;

/** Order of all columns but those of features, which come last. */
const order: readonly PlainColumn[] = [
  'name',
  'mrn',
  'birthDate',
  'age',
  'sex',
  'risk',
  'scored',
  'version',
  'careTeam',
  'changed',
  'created',
];
const atFirst = new Set<Column>(['name', 'mrn', 'age', 'sex', 'risk', 'scored']);

/** Permissions and features that decide which columns there are. */
interface Available {
  readonly permissions: readonly string[];
  readonly features: readonly string[];
}

/** All columns that this viewer may see, in the order in which they stand. */
export function columnsFor({ permissions, features }: Available): Column[] {
  const refused = new Set<Column>([
    ...(permissions.includes('patient:read-identity') ? [] : identityColumns),
    ...(permissions.includes('prediction:read') ? [] : resultColumns),
  ]);
  // Age and sex have a column from the record of the patient.
  const others = features.filter((code) => !order.some((column) => column === code));
  return [...order.filter((column) => !refused.has(column)), ...others.map((code) => `feature:${code}` as const)];
}

/**
 * The columns that are shown: those that the user chose before, else the usual ones. One column is always left.
 * @param stored the names of the chosen columns, with commas, as `storedColumns` writes them
 */
export function chosenColumns(available: readonly Column[], stored: string | null): Column[] {
  const chosen = new Set(stored === null ? atFirst : (stored.split(',') as Column[]));
  const shown = available.filter((column) => chosen.has(column));
  return shown.length > 0 ? shown : available.filter((column) => atFirst.has(column));
}

/** Writes chosen columns for the store of the browser. They hold names of columns alone. */
export const storedColumns = (columns: readonly Column[]): string => columns.join(',');

/** Code of the feature that a column shows. Undefined for another column. */
export const featureOf = (column: Column): string | undefined =>
  column.startsWith('feature:') ? column.slice('feature:'.length) : undefined;
