import { InvalidModelError, quoted } from '../errors.js';
import type { OutputSpace, RiskBand } from '../output-schema.js';
import { columnOfOutput } from '../output-columns.js';
import { isShare, spaceOfLink } from '../output-spaces.js';
import type { ParsedModel } from '../parse-model.js';

/** The parts of manifest.json that say what the model's answer is. */
export interface DraftOutput {
  readonly outputSpace: OutputSpace;
  readonly outputIndex?: number;
  readonly quantity?: { readonly unit: string; readonly unitLabel: string };
  readonly classes?: readonly string[];
  readonly riskClass?: string;
}

interface OutputWishes {
  /** UCUM unit of the quantity that the model gives. */
  readonly unit?: string;
  readonly riskClass?: string;
}

/** Drafts the answer: the probability of an event, of each of several classes, or a quantity. */
export function draftOutput(parsed: ParsedModel, { unit, riskClass }: OutputWishes): DraftOutput {
  const { columns, labels, ensemble } = parsed;
  const last = ensemble.outputCount - 1;
  const { link } = columnOfOutput(columns, last)!;
  // Regressors of several targets have several columns too, and these are no shares of 1.
  const isClassifier = labels !== null || (columns.length > 1 && (link !== 'IDENTITY' || isShare(parsed, last)));
  // One column behind a sigmoid is the probability of an event, unless a unit is given.
  if (unit !== undefined || (!isClassifier && link !== 'LOGISTIC')) {
    return {
      outputSpace: spaceOfLink[link] ?? 'IDENTITY',
      outputIndex: 0,
      quantity: { unit: unit ?? '1', unitLabel: unit === undefined || unit === '1' ? '' : unit },
    };
  }
  const outputSpace = link === 'IDENTITY' && isShare(parsed, last) ? 'PROBABILITY' : 'LOG_ODDS';
  if (ensemble.outputCount <= 2 && columns.length <= 2) return { outputSpace, outputIndex: last };
  const outputs = Array.from({ length: ensemble.outputCount }, (_, output) => output);
  const classes = outputs.map((output) => labels?.[output] ?? `class ${output}`);
  const risk = riskClass ?? classes.at(-1)!;
  if (!classes.includes(risk))
    throw new InvalidModelError(
      'the class of the risk',
      `the model has no class ${quoted(risk)}`,
      `name one of ${classes.map(quoted).join(', ')}`,
    );
  // Sigmoids of single classes do not add up to 1: the model then gives the probability of one class.
  const adds = outputs.every((output) => ['IDENTITY', 'SOFTMAX'].includes(columnOfOutput(columns, output)?.link ?? ''));
  return adds ? { outputSpace, classes, riskClass: risk } : { outputSpace, outputIndex: classes.indexOf(risk) };
}

interface DraftBand {
  readonly band: RiskBand;
  readonly from: number;
  readonly meaning: string;
}

/**
 * Drafts bands from the answers for a sample of rows: the upper half is MODERATE, the upper tenth HIGH. Without a sample
 * there is one limit.
 */
export function draftBands(answers: readonly number[], isQuantity: boolean): DraftBand[] {
  const sorted = [...answers].sort((left, right) => left - right);
  const quantile = (share: number): number => Number(sorted[Math.floor(share * (sorted.length - 1))]!.toPrecision(2));
  const first = isQuantity ? Math.min(0, sorted[0] === undefined ? 0 : quantile(0)) : 0;
  const limits: [RiskBand, number][] =
    sorted.length < 20
      ? [['HIGH', isQuantity ? first + 1 : 0.5]]
      : [
          ['MODERATE', quantile(0.5)],
          ['HIGH', quantile(0.9)],
        ];
  const bands: DraftBand[] = [{ band: 'LOW', from: first, meaning: meaningOf('LOW') }];
  for (const [band, from] of limits)
    if (from > bands.at(-1)!.from) bands.push({ band, from, meaning: meaningOf(band) });
  return bands;
}

const meaningOf = (band: RiskBand): string => `TODO: write what follows for a patient in the band ${band}.`;
