import type { DifferenceInput, DifferenceSide } from '../../../src/risk/plots/difference.js';
import type { HistoryInput } from '../../../src/risk/plots/history.js';
import type { PlotTable } from '../../../src/risk/plots/options.js';
import { spaceWords } from '../../../src/risk/plots/output-words.js';
import type { WaterfallInput } from '../../../src/risk/plots/waterfall.js';
import type { PatientPageExplanationFragment, PatientPageResultFragment, RiskBand } from '../../generated/graphql.js';
import type { patient } from '../../texts/en/patient.js';
import { answerText, unitOf, type Model, type Numbers } from './values.js';

type Texts = typeof patient;
export type Explanation = PatientPageExplanationFragment;

/** An answer of a model with its reasons: a stored one, or one that was simulated. */
export interface ExplainedAnswer {
  readonly value: number;
  readonly unit: string;
  readonly probability?: number | null;
  readonly riskBand: RiskBand;
  readonly explanation?: Explanation | null;
}

/** The model as plots take it. */
const described = ({ name, version, outcome, outputSpace, quantity }: Model): WaterfallInput['manifest'] => ({
  name,
  version,
  outcome,
  outputSpace,
  quantity: quantity ?? undefined,
});

/** The name of the space in which the contributions of a model add up. */
export const spaceOf = (model: Model): string => spaceWords(described(model));

/** The reasons of an answer, for `renderWaterfall`. */
export function waterfallOf(model: Model, answer: ExplainedAnswer, explanation: Explanation): WaterfallInput {
  const className = explanation.class ?? undefined;
  return {
    manifest: described(model),
    score: {
      ...(answer.probability == null ? { quantity: answer.value } : { probability: answer.probability }),
      className,
      riskBand: className === (model.riskClass ?? undefined) ? answer.riskBand : undefined,
    },
    explanation,
    contributions: explanation.contributions.map(({ feature, displayValue, value }) => ({
      label: feature.label,
      displayValue,
      value,
    })),
  };
}

/** The reasons of an answer as a table. */
export function waterfallTable(model: Model, explanation: Explanation, texts: Texts, { number }: Numbers): PlotTable {
  return {
    caption: `${texts.reasons}: ${spaceOf(model)}`,
    columns: [texts.feature, texts.value, texts.contribution(spaceOf(model))],
    rows: [
      [texts.baseValue, '', number(explanation.baseValue, 4)],
      ...explanation.contributions.map(({ feature, displayValue, value }) => [
        feature.label,
        displayValue,
        `${value > 0 ? '+' : ''}${number(value, 4)}`,
      ]),
      [texts.output, '', number(explanation.outputValue, 4)],
    ],
  };
}

/** The scores of a patient over time, for `renderHistory`. */
export function historyOf(
  model: Model,
  results: readonly PatientPageResultFragment[],
  texts: Texts,
  date: HistoryInput['date'],
): HistoryInput {
  const isProbability = !model.quantity;
  return {
    title: `${texts.history}: ${model.name}`,
    subtitle: model.outcome,
    valueLabel: isProbability ? texts.probability : `${model.outcome}${unitOf(model.quantity!)}`,
    isProbability,
    points: results.map(({ createdAt, value, riskBand, modelVersion }) => ({
      time: new Date(createdAt),
      value,
      band: texts.bands[riskBand],
      modelVersion,
    })),
    bands: model.riskBands.map(({ band, from }) => ({ name: texts.bands[band], from })),
    date,
  };
}

/** An answer with a name that tells it from another one. */
export interface NamedAnswer extends ExplainedAnswer {
  readonly name: string;
}

/**
 * The difference of two answers, for `renderDifference`.
 * @returns undefined when one has no explanation, or when they explain different outputs
 */
export function differenceOf(
  model: Model,
  { before, after }: { readonly before: NamedAnswer; readonly after: NamedAnswer },
  texts: Texts,
  numbers: Numbers,
): DifferenceInput | undefined {
  const [first, second] = [before.explanation, after.explanation];
  if (!first || !second) return undefined;
  if (first.outputSpace !== second.outputSpace || first.class !== second.class || first.method !== second.method)
    return undefined;
  const side = ({ name }: NamedAnswer, { baseValue, outputValue, contributions }: Explanation): DifferenceSide => ({
    name,
    baseValue,
    outputValue,
    contributions: contributions.map(({ feature: { code, label }, displayValue, value }) => ({
      code,
      label,
      displayValue,
      value,
    })),
  });
  return {
    title: texts.change,
    subtitle: texts.fromTo(answerText(before, model, numbers), answerText(after, model, numbers)),
    space: spaceOf(model),
    baseLabel: texts.baseValue,
    before: side(before, first),
    after: side(after, second),
  };
}

/** The two results that are compared: those that the address names, else the newest and the one before it. */
export function comparedIds(
  newestFirst: readonly { readonly id: string }[],
  query: URLSearchParams,
): { readonly from: string | undefined; readonly to: string | undefined } {
  return { from: query.get('from') ?? newestFirst[1]?.id, to: query.get('to') ?? newestFirst[0]?.id };
}
