import type { DifferenceInput, DifferenceSide } from '../../../src/risk/plots/difference.js';
import type { HistoryInput } from '../../../src/risk/plots/history.js';
import { answerText, unitOf } from '../../components/value-text.js';
import { inWords } from '../../components/waterfall.js';
import type { PatientPageExplanationFragment, PatientPageResultFragment, RiskBand } from '../../generated/graphql.js';
import type { patient } from '../../texts/en/patient.js';
import type { Texts as Catalogue } from '../../texts/catalogue.js';
import type { Formats } from '../../texts/formats.js';
import type { Model } from './values.js';

type Texts = typeof patient;
type Explanation = PatientPageExplanationFragment;

/** An answer of a model with its reasons: a stored one, or one that was simulated. */
export interface ExplainedAnswer {
  readonly value: number;
  readonly unit: string;
  readonly probability?: number | null;
  readonly riskBand: RiskBand;
  readonly explanation?: Explanation | null;
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
 * @param space the name of the space in which the contributions add up
 * @returns undefined when one has no explanation, or when they explain different outputs
 */
export function differenceOf(
  model: Model,
  { before, after }: { readonly before: NamedAnswer; readonly after: NamedAnswer },
  space: string,
  { patient: texts, parts }: Pick<Catalogue, 'patient' | 'parts'>,
  formats: Pick<Formats, 'number' | 'percent'>,
): DifferenceInput | undefined {
  const [first, second] = [before.explanation, after.explanation];
  if (!first || !second) return undefined;
  if (first.outputSpace !== second.outputSpace || first.class !== second.class || first.method !== second.method)
    return undefined;
  const side = ({ name }: NamedAnswer, explanation: Explanation): DifferenceSide => ({
    name,
    baseValue: explanation.baseValue,
    outputValue: explanation.outputValue,
    contributions: inWords(model, explanation, parts, formats).contributions.map(
      ({ feature: { code, label }, displayValue, value }) => ({
        code,
        label,
        displayValue,
        value,
      }),
    ),
  });
  return {
    title: texts.change,
    subtitle: texts.fromTo(answerText(before, model, formats), answerText(after, model, formats)),
    space,
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
