import { unitSuffix } from '../feature-value.js';
import type { RiskModelManifest } from '../manifest.js';
import type { OutputSpace, RiskBand } from '../output-schema.js';
import type { Pen } from './options.js';
import type { PlotWords } from './words.js';

/** The answer of a model for one patient: one of the two numbers is there. */
export interface ShownScore {
  readonly probability?: number;
  readonly quantity?: number;
  /** Absent for a class that gives no band. */
  readonly riskBand?: RiskBand | undefined;
  /** The class that the probability is of, for a model with classes. */
  readonly className?: string | undefined;
}

interface WithUnit {
  readonly unitLabel: string;
}

/** Names the space in which contributions add up, e.g. `log-odds`, `days`, `logarithm of days`. */
export function spaceWords(
  { outputSpace, quantity }: { readonly outputSpace: OutputSpace; readonly quantity?: WithUnit | undefined },
  { space, theQuantity }: Pick<PlotWords, 'space' | 'theQuantity'>,
): string {
  return space[outputSpace](quantity?.unitLabel || theQuantity);
}

/** Writes the answer for a reader, as a heading, as a sentence, and as a few words. */
export function answerWords(
  { outcome, quantity }: Pick<RiskModelManifest, 'outcome'> & { readonly quantity?: WithUnit | undefined },
  score: ShownScore,
  { words, percent, value }: Pick<Pen, 'words' | 'percent' | 'value'>,
): { readonly heading: string; readonly sentence: string; readonly short: string } {
  const band = score.riskBand && words.riskOf[score.riskBand];
  const [inBrackets, between] = band ? [` (${band})`, `, ${band}`] : ['', ''];
  if (quantity) {
    const answer = `${value(score.quantity!)}${unitSuffix(quantity)}`;
    return {
      heading: `${answer}${inBrackets}, ${outcome}`,
      sentence: `${answer}${between}, ${outcome}.`,
      short: answer,
    };
  }
  const { className } = score;
  const share = percent(score.probability!, 1);
  return {
    heading: words.probabilityOf(`${share}${inBrackets}`, outcome, className),
    sentence: `${words.probabilityOf(`${share}${between},`, outcome, className)}.`,
    short: words.probability(share),
  };
}
