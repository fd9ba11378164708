import { formatNumber, unitSuffix } from '../feature-value.js';
import type { RiskModelManifest } from '../manifest.js';

/** The answer of a model for one patient: one of the two numbers is there. */
export interface ShownScore {
  readonly probability?: number;
  readonly quantity?: number;
  /** Absent for a class that gives no band. */
  readonly riskBand?: string | undefined;
  /** The class that the probability is of, for a model with classes. */
  readonly className?: string | undefined;
}

type DescribedOutput = Pick<RiskModelManifest, 'outcome' | 'outputSpace' | 'quantity'>;

/** Names the space in which contributions add up, e.g. `log-odds`, `days`, `logarithm of days`. */
export function spaceWords({ outputSpace, quantity }: Pick<DescribedOutput, 'outputSpace' | 'quantity'>): string {
  const unit = quantity?.unitLabel || 'the quantity';
  switch (outputSpace) {
    case 'PROBABILITY':
      return 'raw probability';
    case 'LOG_ODDS':
      return 'log-odds';
    case 'IDENTITY':
      return unit;
    case 'LOG':
      return `logarithm of ${unit}`;
  }
}

/** Writes the answer for a reader, as a heading, as a sentence, and as a few words. */
export function answerWords(
  { outcome, quantity }: DescribedOutput,
  score: ShownScore,
): { readonly heading: string; readonly sentence: string; readonly short: string } {
  const band = score.riskBand && `${score.riskBand.toLowerCase().replace('_', ' ')} risk`;
  const [inBrackets, between] = band ? [` (${band})`, `, ${band}`] : ['', ''];
  if (quantity) {
    const answer = `${formatNumber(score.quantity!)}${unitSuffix(quantity)}`;
    return {
      heading: `${answer}${inBrackets}, ${outcome}`,
      sentence: `${answer}${between}, ${outcome}.`,
      short: answer,
    };
  }
  const { className } = score;
  const event = className === undefined ? `of ${outcome}` : `of class ${className}, ${outcome}`;
  const percent = `${(score.probability! * 100).toFixed(1)} %`;
  return {
    heading: `Probability ${percent}${inBrackets} ${event}`,
    sentence: `Probability ${percent}${between}, ${event}.`,
    short: `probability ${percent}`,
  };
}
