import type { OutputSpace, RiskBand } from '../output-schema.js';

/** The words that plots write by themselves. Titles and labels come from the caller. A page gives those of its language. */
export interface PlotWords {
  readonly raises: string;
  readonly lowers: string;
  readonly unchanged: string;
  readonly otherFeatures: (count: number) => string;
  readonly output: (number: string) => string;
  readonly baseValue: (number: string) => string;
  /** Both ends of a waterfall as a sentence. */
  readonly fromBaseValue: (space: string, base: string, output: string) => string;
  /** The label of an axis of outputs. */
  readonly modelOutput: (space: string) => string;
  /** Names the space in which contributions add up. `unit` is that of the quantity. */
  readonly space: Readonly<Record<OutputSpace, (unit: string) => string>>;
  /** Stands for a quantity without a unit. */
  readonly theQuantity: string;
  /** The title of a waterfall, by the kind of answer. */
  readonly moved: Readonly<Record<'quantity' | 'risk' | 'class', (model: string) => string>>;
  readonly riskOf: Readonly<Record<RiskBand, string>>;
  readonly probability: (percent: string) => string;
  /** The probability of the outcome, or of a class. `percent` may name the band too. */
  readonly probabilityOf: (percent: string, outcome: string, className: string | undefined) => string;
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
  readonly onePatient: (count: string) => string;
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
  baseValue: (number) => `base value ${number}`,
  fromBaseValue: (space, base, output) => `In ${space}: from the base value ${base} to the output ${output}.`,
  modelOutput: (space) => `model output (${space})`,
  space: {
    PROBABILITY: () => 'raw probability',
    LOG_ODDS: () => 'log-odds',
    IDENTITY: (unit) => unit,
    LOG: (unit) => `logarithm of ${unit}`,
  },
  theQuantity: 'the quantity',
  moved: {
    quantity: (model) => `${model}: what moved this quantity`,
    risk: (model) => `${model}: what moved this risk`,
    class: (model) => `${model}: what moved this class`,
  },
  riskOf: { LOW: 'low risk', MODERATE: 'moderate risk', HIGH: 'high risk', VERY_HIGH: 'very high risk' },
  probability: (percent) => `probability ${percent}`,
  probabilityOf: (percent, outcome, className) =>
    `Probability ${percent} of ${className === undefined ? '' : `class ${className}, `}${outcome}`,
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
  interval: '95% interval',
  perfect: 'perfect calibration',
  mean: 'mean',
  onePatient: (count) => `one line per patient (${count})`,
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
