/** The words that plots write by themselves. Titles and labels come from the caller. A page gives those of its language. */
export interface PlotWords {
  readonly raises: string;
  readonly lowers: string;
  readonly unchanged: string;
  readonly otherFeatures: (count: number) => string;
  readonly output: (number: string) => string;
  readonly feature: string;
  readonly value: string;
  readonly missing: string;
  readonly before: string;
  readonly after: string;
  readonly contribution: string;
  readonly change: string;
  readonly contributionIn: (space: string) => string;
  readonly time: string;
  readonly band: string;
  readonly modelVersion: string;
  readonly patients: string;
  readonly patientCount: (count: string) => string;
  readonly predicted: string;
  readonly observed: string;
  readonly interval: string;
  readonly perfect: string;
  readonly mean: string;
  readonly onePatient: string;
  readonly thisPatient: string;
  readonly noPatients: string;
  readonly low: string;
  readonly middle: string;
  readonly high: string;
  readonly meanAbsolute: (space: string) => string;
  readonly notShown: (count: number) => string;
  readonly difference: string;
  readonly from: string;
  readonly to: string;
  readonly median: string;
  readonly colouredBy: (label: string) => string;
  readonly nothing: string;
}

/** The words in English. */
export const englishWords: PlotWords = {
  raises: 'raises',
  lowers: 'lowers',
  unchanged: 'unchanged',
  otherFeatures: (count) => `${count} other features`,
  output: (number) => `output ${number}`,
  feature: 'feature',
  value: 'value',
  missing: 'missing',
  before: 'before',
  after: 'after',
  contribution: 'contribution',
  change: 'change',
  contributionIn: (space) => `contribution (${space})`,
  time: 'time',
  band: 'band',
  modelVersion: 'model version',
  patients: 'patients',
  patientCount: (count) => `${count} patients`,
  predicted: 'mean predicted probability (%)',
  observed: 'observed rate (%)',
  interval: '95 % interval',
  perfect: 'perfect calibration',
  mean: 'mean',
  onePatient: 'one line per patient',
  thisPatient: 'this patient',
  noPatients: 'no patients here',
  low: 'low',
  middle: 'medium',
  high: 'high',
  meanAbsolute: (space) => `mean |SHAP value| (${space})`,
  notShown: (count) => `${count} more features are not shown.`,
  difference: 'difference',
  from: 'from',
  to: 'to',
  median: 'median',
  colouredBy: (label) => `colour: ${label}`,
  nothing: 'There is nothing to draw yet.',
};
