import type { PlotTable } from '../../src/risk/plots/options.js';
import type { WaterfallInput } from '../../src/risk/plots/waterfall.js';
import type { OutputSpace, RiskBand } from '../generated/graphql.js';
import type { Texts } from '../texts/catalogue.js';
import type { Formats } from '../texts/formats.js';
import { explainedValue, type ValuedFeature } from './value-text.js';

/** A model as its explanations need it. */
export interface ExplainedModel {
  readonly name: string;
  readonly version: string;
  readonly outcome: string;
  readonly outputSpace: OutputSpace;
  readonly riskClass?: string | null;
  readonly quantity?: { readonly unitLabel: string } | null;
  readonly features: readonly ValuedFeature[];
}

/** What moved an answer. */
interface Reasons {
  readonly baseValue: number;
  readonly outputValue: number;
  readonly class?: string | null;
  readonly contributions: readonly {
    readonly feature: { readonly code: string; readonly label: string };
    readonly inputValue?: number | null;
    readonly displayValue: string;
    readonly value: number;
  }[];
}

interface Answer {
  readonly value: number;
  readonly probability?: number | null;
  readonly riskBand: RiskBand;
}

/**
 * The reasons of an answer with values in the viewer's language. A feature that the model does not have (any more) keeps
 * the server's text.
 */
export function inWords<Part extends Reasons>(
  { features }: Pick<ExplainedModel, 'features'>,
  reasons: Part,
  words: Texts['parts'],
  formats: Pick<Formats, 'number'>,
): Part {
  const known = new Map(features.map((feature) => [feature.code, feature]));
  return {
    ...reasons,
    contributions: reasons.contributions.map((contribution) => {
      const feature = known.get(contribution.feature.code);
      if (!feature) return contribution;
      return { ...contribution, displayValue: explainedValue(feature, contribution, words, formats) };
    }),
  };
}

/** The reasons of an answer, for `renderWaterfall`. */
export function waterfallOf(
  { name, version, outcome, outputSpace, quantity, riskClass }: ExplainedModel,
  { probability, value, riskBand }: Answer,
  { class: explained, baseValue, outputValue, contributions }: Reasons,
): WaterfallInput {
  const className = explained ?? undefined;
  return {
    manifest: { name, version, outcome, outputSpace, quantity: quantity ?? undefined },
    score: {
      ...(probability == null ? { quantity: value } : { probability }),
      className,
      // The band is of the class of risk. Another class has none.
      riskBand: className === (riskClass ?? undefined) ? riskBand : undefined,
    },
    explanation: { baseValue, outputValue },
    contributions: contributions.map(({ feature: { label }, displayValue, value: amount }) => ({
      label,
      displayValue,
      value: amount,
    })),
  };
}

interface TableTexts {
  readonly reasons: string;
  readonly feature: string;
  readonly value: string;
  readonly contribution: (space: string) => string;
  readonly baseValue: string;
  readonly output: string;
}

/**
 * The reasons of an answer as a table.
 * @param space the name of the space in which the contributions add up
 */
export function waterfallTable(
  { baseValue, outputValue, contributions }: Reasons,
  space: string,
  texts: TableTexts,
  { number, signed }: Pick<Formats, 'number' | 'signed'>,
): PlotTable {
  return {
    caption: `${texts.reasons}: ${space}`,
    columns: [texts.feature, texts.value, texts.contribution(space)],
    rows: [
      [texts.baseValue, '', number(baseValue, 4)],
      ...contributions.map(({ feature, displayValue, value }) => [feature.label, displayValue, signed(value, 4)]),
      [texts.output, '', number(outputValue, 4)],
    ],
  };
}
