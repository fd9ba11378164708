import { InvalidModelError } from '../errors.js';
import type { ModelInput } from '../graph/model-inputs.js';
import { listed } from './training-table.js';

/** Words that no name of a feature has, and every name of an identifier. */
const identifying = new Set(
  (
    'id ids uid guid uuid mrn ssn nhs name names surname firstname lastname forename dob birthdate birthday address ' +
    'street postcode zip zipcode phone telephone email patientid subjectid personid caseid encounterid'
  ).split(' '),
);

/** Tells whether a column's name says that it holds an identifier, e.g. `MRN`, `patient_id`, `Date of birth`. */
function identifies(name: string): boolean {
  const words = wordsOf(name);
  return (
    words.some((word) => identifying.has(word)) ||
    (words.includes('birth') && words.includes('date')) ||
    words.join(' ') === 'index'
  );
}

/** Splits a name into words of lower case: `restingBP_mean` has resting, bp and mean. */
function wordsOf(name: string): string[] {
  return name
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z\d]+/)
    .filter(Boolean);
}

/**
 * Returns the names of the features that the file itself gives: one input per feature.
 * Undefined when it has one matrix, whose columns have no names.
 */
export function namesInFile(inputs: readonly ModelInput[]): string[] | undefined {
  return inputs.length > 1 && inputs.every(({ columns }) => columns.columns.length === 1)
    ? inputs.map(({ name }) => name)
    : undefined;
}

/**
 * Chooses the features' columns from a header: the names that were given or that the file has, else all columns but the
 * target, when they are as many as the features and none of them identifies a patient.
 * @throws InvalidModelError when that is not possible
 */
export function chooseColumns(
  header: readonly string[],
  { names, target, featureCount }: { names?: readonly string[]; target?: string; featureCount?: number },
): readonly string[] {
  const refuse = (reason: string, remedy: string): never => {
    throw new InvalidModelError('the CSV', reason, remedy);
  };
  const repeated = header.find((name, place) => header.indexOf(name) !== place);
  if (repeated !== undefined)
    refuse(`its column ${listed([repeated])} appears twice`, 'give every column its own name');
  const missing = names?.filter((name) => !header.includes(name)) ?? [];
  if (missing.length > 0)
    refuse(
      `it has no column ${listed(missing)}`,
      `its columns are ${listed(header)}; name them by --features in order`,
    );
  if (names) return names;
  const chosen = header.filter((name) => name !== target);
  if (featureCount !== undefined && chosen.length !== featureCount)
    refuse(
      `it has ${chosen.length} columns${target === undefined ? '' : ' besides the target'}, and the model takes ` +
        `${featureCount} features`,
      (target === undefined && chosen.length > featureCount
        ? 'name the column that the model predicts by --target, or '
        : '') + 'name the columns of the features by --features a,b,c in the order of training',
    );
  const unfit = chosen.filter((name) => name === '' || identifies(name));
  if (unfit.length > 0)
    refuse(
      unfit.includes('')
        ? 'it has a column without a name, as pandas writes its index'
        : `its column ${listed(unfit)} looks as if it tells who a patient is`,
      'leave the column out, or name the columns of the features by --features a,b,c in the order of training',
    );
  return chosen;
}

/** Makes the codes of features from their names: snake_case, each only once. */
export function featureCodes(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const words = wordsOf(name).join('_');
    const plain = (/^[a-z]/.test(words) ? words : `f_${words}`).slice(0, 56).replace(/_$/, '');
    let code = plain;
    for (let number = 2; taken.has(code); number++) code = `${plain}_${number}`;
    taken.add(code);
    return code;
  });
}

/** Makes a label from a name: `resting_bp` gives `Resting bp`. */
export function featureLabel(name: string): string {
  const text = name.replace(/[_\s]+/g, ' ').trim();
  return (text.charAt(0).toUpperCase() + text.slice(1)).slice(0, 120) || 'Feature';
}
