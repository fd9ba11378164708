import type { DraftFeature } from './draft-features.js';
import type { DraftOutput } from './draft-output.js';
import type { TrainingTable } from './training-table.js';

interface Draft {
  readonly features: readonly DraftFeature[];
  readonly output: DraftOutput;
  readonly backgroundRows: number;
  readonly table?: TrainingTable;
}

/** Lists what a draft cannot know, one line each. A person must decide it before the bundle serves. */
export function openPoints({ features, output, backgroundRows, table }: Draft): string[] {
  const codesOf = (wanted: (feature: DraftFeature, index: number) => boolean): string => {
    const codes = features.filter(wanted).map(({ code }) => code);
    return codes.length > 8 ? `${codes.slice(0, 8).join(', ')} and ${codes.length - 8} more` : codes.join(', ');
  };
  const point = (codes: string, text: string): string[] => (codes === '' ? [] : [`${text}: ${codes}`]);
  const quantity =
    output.quantity &&
    'the unit of the quantity (UCUM); LOG as outputSpace if the library adds an ' +
      'exponential that the file does not have';
  return [
    'every text that begins with TODO, in manifest.json and MODEL_CARD.md',
    'golden: replace the outputs by those of the library (predict_proba, predict) and delete "source"',
    'riskBands: the limits and what follows from them; the draft has quantiles, which mean nothing clinically',
    ...(quantity ? [quantity] : []),
    ...(output.quantity || table?.target ? [] : ['training.events: the number of patients with the event']),
    ...(table ? [] : ['training.patients: the number of patients']),
    ...(table
      ? ['ranges: the draft has those of the CSV; a value outside is refused']
      : ['kinds and ranges: the draft has ranges about the thresholds of the trees']),
    'units: the UCUM unit and its label of every feature that has one',
    ...point(
      codesOf(({ codes }) => codes !== undefined),
      'codes: a label for each, or COUNT with a range where the numbers count something',
    ),
    ...point(
      codesOf(({ missing }) => missing.policy === 'IMPUTE'),
      'missing values: IMPUTE must have exactly the value of the training, or write REQUIRED',
    ),
    ...point(
      codesOf(({ missing }) => missing.policy === 'NATIVE'),
      'missing values: NATIVE lets the trees decide; write REQUIRED where a score without the value is not wanted',
    ),
    ...point(
      codesOf((_, index) => table?.profiles[index]!.least === table?.profiles[index]!.most && table !== undefined),
      'one value in the whole CSV; check the column',
    ),
    ...point(
      codesOf((_, index) => isNumbered(table, index)),
      'a different whole number in each row: leave the column out if it is an identifier',
    ),
    ...point(
      codesOf(({ code }) => /^(age|sex|gender)(_|$)/.test(code)),
      'source: write PATIENT_AGE or PATIENT_SEX if the value is that of the patient',
    ),
    backgroundRows > 0
      ? `background.json: ${backgroundRows} rows of real values of the CSV, each column shuffled on its own so that no ` +
        'row is a patient; a rare value may still tell who had it: replace it, or use --background 0'
      : 'background.json: there is none, so interventional SHAP is not offered',
  ];
}

/** Tells whether every row has its own whole number, as an identifier does. */
function isNumbered(table: TrainingTable | undefined, index: number): boolean {
  const profile = table?.profiles[index];
  return (
    table !== undefined &&
    profile !== undefined &&
    profile.whole &&
    profile.missing === 0 &&
    table.rowCount >= 20 &&
    (profile.values?.length ?? table.sample.length) === new Set(table.sample.map((row) => row[index])).size &&
    new Set(table.sample.map((row) => row[index])).size === table.sample.length
  );
}
